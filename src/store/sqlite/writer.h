// What changes a receipt store in SQLite, on the one connection that writes. One thread at a time.
#pragma once

#include <memory>
#include <span>

#include "store/receipt_store.h"
#include "store/sqlite/reader.h"

namespace cloister::store {

// One row, changed with the rest in each transaction.
struct Totals {
  std::int64_t next_seq = 1;
  std::int64_t receipts = 0;
  std::int64_t bytes = 0;
  UnixSeconds aged_to = 0;   // 0: not yet
};

class Writer {
 public:
  // Both outlive it; `reader` is one of the same connection.
  static Result<std::unique_ptr<Writer>> make(const Connection& connection, Reader& reader);

  Result<void> put(std::span<const ReceiptRecord> batch);
  Result<void> put_document(const Document& document);

  Result<Totals> totals();
  Result<void> set_aged_to(UnixSeconds aged_to);
  Result<UnixSeconds> newest_served();

  // Each is one short transaction, and says how many it deleted: at most kStep. Takes no lock when there is nothing to do.
  static constexpr int kStep = 128;
  Result<std::int64_t> drop_event_hashes_before(UnixSeconds served_at);
  Result<std::int64_t> drop_receipts_before(UnixSeconds served_at);
  Result<std::int64_t> drop_documents_before(UnixSeconds made);
  // The first to come go first, until no more than `limit` bytes are counted.
  Result<std::int64_t> drop_event_hashes_over(std::uint64_t limit);
  Result<std::int64_t> drop_receipts_over(std::uint64_t limit);
  // Gives pages back to the file system where much of the file is empty. False when there is nothing to give.
  Result<bool> shrink();

 private:
  explicit Writer(const Connection& connection, Reader& reader) : connection_(connection), reader_(reader) {}
  struct Name;
  Result<void> add(const ReceiptRecord& record, Totals& totals, std::vector<Name>& names);
  Result<void> check_same(const ReceiptRecord& record);
  Result<void> save(const Totals& totals);
  enum class What { kEventHashes, kReceipts };
  Result<bool> any(Statement& chosen, std::optional<UnixSeconds> before);
  Result<std::int64_t> drop(What what, Statement& chosen, std::optional<UnixSeconds> before, std::uint64_t limit);
  Result<std::int64_t> drop_event_hashes(Statement& chosen, Totals& totals, std::uint64_t limit);
  Result<std::int64_t> drop_receipts(Statement& chosen, Totals& totals, std::uint64_t limit);

  const Connection& connection_;
  Reader& reader_;
  Statement add_receipt_, add_name_, add_hashes_, totals_, save_, put_document_, newest_served_, old_hashes_, first_hashes_,
      old_receipts_, first_receipts_, old_documents_, drop_hashes_, drop_receipt_, drop_name_, hashes_size_;
};

}  // namespace cloister::store
