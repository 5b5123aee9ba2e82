#include "store/sqlite/reader.h"

#include <algorithm>

#include "store/record.h"

namespace cloister::store {
namespace {

#define ROW_OF_RECEIPT                                                                                             \
  "SELECT r.receipt_id, r.owner, r.served_at, r.reply_ids, r.legacy, r.receipt, h.served_at, h.hashes FROM receipt r " \
  "LEFT JOIN event_hashes h ON h.seq = r.seq "

// Of one reply id so many are looked at, the newest first: an upstream may give the same id again and again.
#define MOST_NAMES "16"

constexpr std::size_t kPageBytes = 64u << 20;

}  // namespace

Result<std::unique_ptr<Reader>> Reader::make(const Connection& connection) {
  std::unique_ptr<Reader> reader(new Reader(connection));
  const std::pair<Statement*, std::string_view> statements[] = {
      {&reader->by_id_, ROW_OF_RECEIPT "WHERE r.receipt_id = ?1"},
      {&reader->by_seq_, ROW_OF_RECEIPT "WHERE r.seq = ?1"},
      {&reader->names_of_owner_, "SELECT seq FROM name WHERE id = ?1 AND owner = ?2 ORDER BY seq DESC LIMIT " MOST_NAMES},
      {&reader->names_, "SELECT seq FROM name WHERE id = ?1 LIMIT " MOST_NAMES},
      {&reader->page_, ROW_OF_RECEIPT "WHERE (r.served_at, r.receipt_id) > (?1, ?2) AND r.served_at >= ?4 "
                                      "ORDER BY r.served_at, r.receipt_id LIMIT ?3"},
      {&reader->documents_, "SELECT kind, key, made, text FROM document WHERE key = ?1 AND (?2 = x'' OR kind = ?2) ORDER BY kind"},
      {&reader->state_, "SELECT receipts, bytes FROM state"},
      {&reader->oldest_, "SELECT min(served_at) FROM receipt"},
  };
  for (const auto& [statement, sql] : statements) {
    TRY(prepared, connection.prepare(sql));
    *statement = std::move(prepared);
  }
  return reader;
}

Result<ReceiptRecord> Reader::read_row(const Statement& row, const Horizon& horizon) const {
  ReceiptRecord record;
  record.receipt_id = row.bytes(0);
  Result<Owner> owner = unpack_owner(row.bytes(1));
  if (!owner) return connection_.damaged(owner.error().message);
  record.owner = *owner;
  record.served_at = row.number(2);
  Result<std::vector<std::string>> ids = unpack_ids(row.bytes(3));
  if (!ids) return connection_.damaged(ids.error().message);
  record.reply_ids = std::move(*ids);
  if (!row.is_null(4)) {
    Result<LegacySignature> legacy = unpack_legacy(row.bytes(4));
    if (!legacy) return connection_.damaged(legacy.error().message);
    record.legacy = *legacy;
  }
  record.receipt = row.bytes(5);
  if (!row.is_null(7) && row.number(6) >= horizon.event_hashes) record.event_hashes = row.bytes(7);
  if (Result<void> checked = check_record(record); !checked) return connection_.damaged(checked.error().message);
  return record;
}

Result<std::optional<ReceiptRecord>> Reader::find_receipt(std::string_view receipt_id, const Horizon& horizon) {
  const StatementUse use(by_id_);
  TRY(row, by_id_.bind(1, receipt_id).step());
  if (!row || by_id_.number(2) < horizon.receipts) return std::optional<ReceiptRecord>();
  TRY(record, read_row(by_id_, horizon));
  return std::optional(std::move(record));
}

Result<std::optional<ReceiptRecord>> Reader::by_seq(std::int64_t seq, const Horizon& horizon) {
  const StatementUse use(by_seq_);
  TRY(row, by_seq_.bind(1, seq).step());
  if (!row || by_seq_.number(2) < horizon.receipts) return std::optional<ReceiptRecord>();
  TRY(record, read_row(by_seq_, horizon));
  return std::optional(std::move(record));
}

// Of those that `names` gives, the newest that really has this id, and this owner where one is asked for.
Result<std::optional<ReceiptRecord>> Reader::newest(Statement& names, std::string_view id, const Owner* owner,
                                                    const Horizon& horizon) {
  std::optional<ReceiptRecord> best;
  while (true) {
    TRY(row, names.step());
    if (!row) return best;
    TRY(record, by_seq(names.number(0), horizon));
    if (!record || (owner != nullptr && record->owner != *owner)) continue;
    if (std::find(record->reply_ids.begin(), record->reply_ids.end(), id) == record->reply_ids.end()) continue;
    // Of two in one second the one that came last.
    if (!best || record->served_at > best->served_at) best = std::move(record);
  }
}

Result<std::optional<ReceiptRecord>> Reader::find(std::string_view id, const Owner& owner, const Horizon& horizon) {
  TRY(exact, find_receipt(id, horizon));
  if (exact && exact->owner == owner) return exact;
  const std::int64_t key = id_key(id);
  {
    const StatementUse use(names_of_owner_);
    names_of_owner_.bind(1, key).bind(2, owner_key(owner));
    TRY(own, newest(names_of_owner_, id, &owner, horizon));
    if (own) return own;
  }
  if (exact) return exact;
  const StatementUse use(names_);
  names_.bind(1, key);
  return newest(names_, id, nullptr, horizon);
}

Result<std::vector<ReceiptRecord>> Reader::list(const ReceiptStore::Position& after, std::size_t limit, const Horizon& horizon) {
  const StatementUse use(page_);
  page_.bind(1, after.served_at).bind(2, after.receipt_id).bind(3, static_cast<std::int64_t>(std::min(limit, kMostListed)));
  page_.bind(4, horizon.receipts);
  std::vector<ReceiptRecord> out;
  for (std::size_t bytes = 0; bytes < kPageBytes;) {
    TRY(row, page_.step());
    if (!row) break;
    TRY(record, read_row(page_, horizon));
    bytes += record.receipt.size() + record.event_hashes.size();
    out.push_back(std::move(record));
  }
  return out;
}

Result<std::vector<Document>> Reader::documents(std::string_view kind, std::string_view key) {
  const StatementUse use(documents_);
  documents_.bind(1, key).bind(2, kind);
  std::vector<Document> out;
  while (true) {
    TRY(row, documents_.step());
    if (!row) return out;
    Document document;
    document.kind = documents_.bytes(0);
    document.key = documents_.bytes(1);
    document.made = documents_.number(2);
    document.text = documents_.bytes(3);
    out.push_back(std::move(document));
  }
}

Result<StoreState> Reader::state() {
  StoreState state;
  {
    const StatementUse use(state_);
    TRY(row, state_.step());
    if (!row) return connection_.damaged("its totals are missing");
    state.receipts = static_cast<std::uint64_t>(std::max<std::int64_t>(state_.number(0), 0));
    state.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(state_.number(1), 0));
  }
  const StatementUse use(oldest_);
  TRY(row, oldest_.step());
  if (row) state.oldest = oldest_.number(0);
  return state;
}

}  // namespace cloister::store
