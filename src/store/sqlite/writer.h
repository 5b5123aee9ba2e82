// The changes to a receipt store in SQLite, on the one connection that writes. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "store/receipt_store.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/tail.h"

namespace cloister::store {

// The row `state` (store/sqlite/tables.h).
struct Totals {
  std::int64_t indexed = 0;
  std::int64_t receipts = 0;
  std::int64_t bytes = 0;
  UnixSeconds aged_to = 0;  // 0: none yet
};

class Writer {
 public:
  // All arguments outlive it; `reader` uses the same connection.
  static Result<std::unique_ptr<Writer>> make(const db::sqlite::Connection& connection, Reader& reader,
                                              const StoreKeys& keys);

  Result<void> put(std::span<const ReceiptRecord> batch);
  // Does the same in a transaction that already exists. After one that was undone this object cannot be used any more.
  Result<void> put_within(std::span<const ReceiptRecord> batch);
  // Brings what was put so far into the indexes. Takes no lock when they already have everything.
  Result<void> index_all();
  Result<void> put_document(const Document& document);

  Result<Totals> totals();
  Result<void> set_aged_to(UnixSeconds aged_to);
  // The newest served_at in the indexes.
  Result<UnixSeconds> newest_served();

  // Each is one short transaction, and returns how many it deleted: at most kStep, and of receipts only those in the
  // indexes. Takes no lock when there is nothing to do.
  static constexpr int kStep = 128;
  Result<std::int64_t> drop_event_hashes_before(UnixSeconds served_at);
  Result<std::int64_t> drop_receipts_before(UnixSeconds served_at);
  Result<std::int64_t> drop_documents_before(UnixSeconds made);
  // Drops the oldest first, until no more than `limit` bytes are counted.
  Result<std::int64_t> drop_event_hashes_over(std::uint64_t limit);
  Result<std::int64_t> drop_receipts_over(std::uint64_t limit);
  // Returns pages to the file system where much of the file is empty. False when there is nothing to return.
  Result<bool> shrink();

 private:
  // kStoreFailed when the path names another file than the open one, or none: nobody would find what is written.
  Result<void> check_in_place() const;
  Writer(const db::sqlite::Connection& connection, Reader& reader, const StoreKeys& keys)
      : connection_(connection), reader_(reader), keys_(keys) {}
  // An entry of the table `name`.
  using NameOf = std::pair<Name, std::int64_t>;
  struct Known;
  Result<Known> know();
  Result<bool> is_there(const ReceiptRecord& record, std::string_view place, const Known& known);
  Result<void> add(const ReceiptRecord& record, Known& known);
  Result<void> index_tail(Totals& totals, std::int64_t most);
  Result<void> save(const Totals& totals);
  enum class What { kEventHashes, kReceipts };
  Result<bool> any(db::sqlite::Statement& chosen, std::optional<UnixSeconds> before);
  Result<std::int64_t> drop(What what, db::sqlite::Statement& chosen, std::optional<UnixSeconds> before,
                            std::uint64_t limit);
  Result<std::int64_t> drop_event_hashes(db::sqlite::Statement& chosen, Totals& totals, std::uint64_t limit);
  Result<std::int64_t> drop_receipts(db::sqlite::Statement& chosen, Totals& totals, std::uint64_t limit);

  const db::sqlite::Connection& connection_;
  Reader& reader_;
  const StoreKeys& keys_;
  TailReader tail_;
  db::sqlite::Statement add_receipt_, add_hashes_, add_place_, add_moment_, add_name_, place_, last_seq_,
      greatest_place_, totals_, save_, put_document_, newest_served_, old_hashes_, first_hashes_, old_receipts_,
      first_receipts_, old_documents_, drop_hashes_, drop_receipt_, drop_place_, drop_moment_, drop_name_, hashes_size_;

  // The file as the last put left it, as far as the next put has to know it.
  struct Known {
    std::uint32_t data_version = 0;  // after that put
    Totals totals;
    std::int64_t last = 0;                                 // seq
    std::string greatest_place;                            // of all receipts
    std::unordered_map<std::string, std::int64_t> places;  // of the tail, to seq
    void remember(std::string place, std::int64_t seq);
  };
  std::optional<Known> known_;  // absent after any other change, and after a put that failed
};

}  // namespace cloister::store
