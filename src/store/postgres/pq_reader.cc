#include "store/postgres/pq_reader.h"

#include <algorithm>

#include "store/record.h"

namespace cloister::store {
namespace {

#define COLUMNS "r.receipt_id, r.owner, r.served_at, r.reply_ids, r.legacy, r.receipt, h.served_at, h.hashes "
#define HASHES "LEFT JOIN cloister_event_hashes h ON h.seq = r.seq "

// As in SQLite (store/sqlite/reader.cc): the newest of at most 16. That it really has this id is seen in the packed column,
// where the id stands with its length before it.
#define NEWEST                                                                                       \
  "JOIN cloister_receipt r ON r.seq = n.seq " HASHES                                                 \
  "WHERE r.served_at >= $3 AND position($2 IN r.reply_ids) > 0 "
#define NEWEST_FIRST "ORDER BY r.served_at DESC, r.seq DESC LIMIT 1"

constexpr std::size_t kPageBytes = 64u << 20;

Error damaged(const Error& error) { return fail(ErrorCode::kStoreDamaged, "the receipt store in PostgreSQL is damaged: " + error.message); }

Result<ReceiptRecord> read_row(const PqRows& rows, int row, const Horizon& horizon) {
  ReceiptRecord record;
  record.receipt_id = rows.bytes(row, 0);
  Result<Owner> owner = unpack_owner(rows.bytes(row, 1));
  if (!owner) return damaged(owner.error());
  record.owner = *owner;
  record.served_at = rows.number(row, 2);
  Result<std::vector<std::string>> ids = unpack_ids(rows.bytes(row, 3));
  if (!ids) return damaged(ids.error());
  record.reply_ids = std::move(*ids);
  if (!rows.is_null(row, 4)) {
    Result<LegacySignature> legacy = unpack_legacy(rows.bytes(row, 4));
    if (!legacy) return damaged(legacy.error());
    record.legacy = *legacy;
  }
  record.receipt = rows.bytes(row, 5);
  if (!rows.is_null(row, 7) && rows.number(row, 6) >= horizon.event_hashes) record.event_hashes = rows.bytes(row, 7);
  if (Result<void> checked = check_record(record); !checked) return damaged(checked.error());
  return record;
}

Result<std::optional<ReceiptRecord>> first_row(const PqRows& rows, const Horizon& horizon) {
  if (rows.count() == 0) return std::optional<ReceiptRecord>();
  TRY(record, read_row(rows, 0, horizon));
  return std::optional(std::move(record));
}

}  // namespace

Result<std::optional<ReceiptRecord>> pq_find_receipt(PqConnection& connection, std::string_view receipt_id, const Horizon& horizon) {
  TRY(rows, connection.run("SELECT " COLUMNS "FROM cloister_receipt r " HASHES "WHERE r.receipt_id = $1 AND r.served_at >= $2",
                           PqParams().add(receipt_id).add(horizon.receipts)));
  return first_row(rows, horizon);
}

Result<std::optional<ReceiptRecord>> pq_find(PqConnection& connection, std::string_view id, const Owner& owner, const Horizon& horizon) {
  if (id.empty() || id.size() > std::max(kMostReceiptIdBytes, kMostReplyIdBytes)) return std::optional<ReceiptRecord>();
  TRY(exact, pq_find_receipt(connection, id, horizon));
  if (exact && exact->owner == owner) return exact;
  const std::string packed = pack_ids({std::string(id)});
  PqParams params;
  params.add(id_key(id)).add(packed).add(horizon.receipts);
  PqParams of_owner = params;
  of_owner.add(owner_key(owner)).add(as_text(owner));
  TRY(own, connection.run("SELECT " COLUMNS "FROM (SELECT seq FROM cloister_name WHERE id = $1 AND owner = $4::int4 ORDER BY seq DESC LIMIT 16) n "
                          NEWEST "AND r.owner = $5 " NEWEST_FIRST, of_owner));
  if (own.count() > 0) return first_row(own, horizon);
  if (exact) return exact;
  TRY(any, connection.run("SELECT " COLUMNS "FROM (SELECT seq FROM cloister_name WHERE id = $1 LIMIT 16) n " NEWEST NEWEST_FIRST, params));
  return first_row(any, horizon);
}

Result<std::vector<ReceiptRecord>> pq_list(PqConnection& connection, const ReceiptStore::Position& after, std::size_t limit,
                                           const Horizon& horizon) {
  // The server computes a whole answer before it sends it: rows are chosen by their sizes first.
  TRY(rows, connection.run(
      "SELECT " COLUMNS "FROM (SELECT *, sum(size) OVER (ORDER BY served_at, receipt_id) AS so_far FROM "
      "(SELECT * FROM cloister_receipt WHERE (served_at, receipt_id) > ($1, $2) AND served_at >= $3 ORDER BY served_at, receipt_id LIMIT $4) p) r "
      HASHES "WHERE r.so_far - r.size < $5 ORDER BY r.served_at, r.receipt_id",
      PqParams().add(after.served_at).add(after.receipt_id).add(horizon.receipts)
          .add(static_cast<std::int64_t>(std::min(limit, kMostListed))).add(static_cast<std::int64_t>(kPageBytes / 4))));
  std::vector<ReceiptRecord> out;
  for (int i = 0; i < rows.count(); ++i) {
    TRY(record, read_row(rows, i, horizon));
    out.push_back(std::move(record));
  }
  return out;
}

Result<std::vector<Document>> pq_documents(PqConnection& connection, std::string_view key) {
  TRY(rows, connection.run("SELECT kind, key, made, text FROM cloister_document WHERE key = $1 ORDER BY kind", PqParams().add(key)));
  std::vector<Document> out;
  for (int i = 0; i < rows.count(); ++i) {
    Document document;
    document.kind = rows.bytes(i, 0);
    document.key = rows.bytes(i, 1);
    document.made = rows.number(i, 2);
    document.text = rows.bytes(i, 3);
    out.push_back(std::move(document));
  }
  return out;
}

Result<StoreState> pq_state(PqConnection& connection) {
  TRY(rows, connection.run("SELECT (SELECT sum(receipts)::int8 FROM cloister_totals), (SELECT sum(bytes)::int8 FROM cloister_totals), "
                           "(SELECT min(served_at) FROM cloister_receipt)"));
  StoreState state;
  if (rows.count() != 1) return state;
  state.receipts = static_cast<std::uint64_t>(std::max<std::int64_t>(rows.number(0, 0), 0));
  state.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(rows.number(0, 1), 0));
  state.oldest = rows.number(0, 2);
  return state;
}

Result<KnownTimes> pq_known_times(PqConnection& connection) {
  TRY(rows, connection.run("SELECT (SELECT aged_to FROM cloister_store), (SELECT max(served_at) FROM cloister_receipt)"));
  return rows.count() == 1 ? KnownTimes{rows.number(0, 0), rows.number(0, 1)} : KnownTimes{};
}

}  // namespace cloister::store
