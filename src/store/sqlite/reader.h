// The queries of a receipt store in SQLite, on one connection. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "db/sqlite/connection.h"
#include "store/horizon.h"
#include "store/receipt_store.h"
#include "store/sqlite/tail.h"

namespace cloister::store {

class Reader {
 public:
  // Both arguments outlive it.
  static Result<std::unique_ptr<Reader>> make(const db::sqlite::Connection& connection, const StoreKeys& keys);

  Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner, const Horizon& horizon,
                                            const FindOptions& options);
  // Absent for a receipt that was encrypted with an unavailable key.
  Result<std::optional<ReceiptRecord>> by_seq(std::int64_t seq, const Horizon& horizon);
  Result<std::vector<ReceiptRecord>> list(const ReceiptStore::Position& after, std::size_t limit,
                                          const Horizon& horizon);
  // Documents of every kind when `kind` is empty.
  Result<std::vector<Document>> documents(std::string_view kind, std::string_view key);
  Result<StoreState> state();

 private:
  Reader(const db::sqlite::Connection& connection, const StoreKeys& keys) : connection_(connection), keys_(keys) {}
  Result<std::optional<ReceiptRecord>> find_light(const Tail& tail, std::string_view id, const Owner& owner,
                                                  const Horizon& horizon, bool others);
  Result<std::optional<ReceiptRecord>> by_id(const Tail& tail, std::string_view receipt_id, const Horizon& horizon);
  Result<std::vector<std::int64_t>> candidates(const Tail& tail, std::string_view id, const Owner* owner);
  Result<std::optional<ReceiptRecord>> newest(const Tail& tail, std::string_view id, const Owner* owner,
                                              const Horizon& horizon);
  Result<std::optional<ReceiptRecord>> read_row(const db::sqlite::Statement& row, const Horizon& horizon) const;

  const db::sqlite::Connection& connection_;
  const StoreKeys& keys_;
  TailReader tail_;
  db::sqlite::Statement place_, by_seq_, names_of_owner_, names_, page_, documents_, oldest_;
};

}  // namespace cloister::store
