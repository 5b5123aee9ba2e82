#include "store/postgres/pq_reader.h"

#include <algorithm>

#include "store/receipt_id.h"
#include "store/sealed_record.h"

namespace cloister::store {
namespace {

#define COLUMNS "r.place, r.served_at, r.sealed, h.served_at, h.sealed "
// A long value is not sent unless it is wanted.
#define COLUMNS_WITH_HASHES_SINCE(TIME) \
  "r.place, r.served_at, r.sealed, h.served_at, CASE WHEN h.served_at >= " TIME " THEN h.sealed END "
#define HASHES "LEFT JOIN cloister_event_hashes h ON h.seq = r.seq "

constexpr std::size_t kPageBytes = 64u << 20;

Error damaged(const Error& error) {
  return fail(ErrorCode::kStoreDamaged, "the receipt store in PostgreSQL is damaged: " + error.message);
}

Result<std::optional<ReceiptRecord>> read_row(const db::postgres::Rows& rows, int row, const Horizon& horizon,
                                              const StoreKeys& keys) {
  const std::string_view place = rows.bytes(row, 0);
  Result<std::optional<ReceiptRecord>> record = open_record(keys, place, rows.number(row, 1), rows.bytes(row, 2));
  if (!record) return damaged(record.error());
  if (!*record || rows.is_null(row, 4) || rows.number(row, 3) < horizon.event_hashes) return record;
  Result<std::string> hashes = open_event_hashes(keys, place, rows.number(row, 1), rows.bytes(row, 4));
  if (!hashes) return damaged(hashes.error());
  (*record)->event_hashes = *std::move(hashes);
  return record;
}

// Among the rows with the digest of this reply id, the latest are checked first: returns the newest that really has
// this id, and this owner's where one is asked for. Rows have no event hashes.
Result<std::optional<ReceiptRecord>> newest(const db::postgres::Rows& rows, std::string_view id, const Owner* owner,
                                            const Horizon& horizon, const StoreKeys& keys) {
  std::optional<ReceiptRecord> best;
  for (int i = 0; i < rows.count(); ++i) {
    TRY(record, read_row(rows, i, horizon, keys));
    if (!record || (owner != nullptr && record->owner != *owner)) continue;
    if (std::ranges::count(record->reply_ids, id) == 0) continue;
    if (!best || record->served_at > best->served_at) best = std::move(record);
  }
  return best;
}

// As in SQLite (store/sqlite/reader.cc): at most 16 with the digest, and the one whose id has the same digits ($2).
#define CANDIDATES(OF_OWNER)                                                                                                      \
  "SELECT r.place, r.served_at, r.sealed, NULL, NULL FROM (SELECT seq FROM (SELECT seq FROM cloister_name WHERE id = $1" OF_OWNER \
  " ORDER BY seq DESC LIMIT 16) n UNION SELECT seq FROM cloister_receipt WHERE place = $2) c "                                    \
  "JOIN cloister_receipt r ON r.seq = c.seq WHERE r.served_at >= $3 ORDER BY r.seq DESC"

Result<std::optional<ReceiptRecord>> find_newest(db::postgres::Connection& connection, std::string_view id,
                                                 const Owner* owner, const Horizon& horizon, const StoreKeys& keys) {
  const Name name = keys.name(id, owner != nullptr ? *owner : Owner{});
  const std::optional<std::string> receipt_id = receipt_id_in(id);
  const Place place = receipt_id ? keys.place(*receipt_id) : Place{};
  db::postgres::Params params;
  params.add(name.id).add(receipt_id ? as_text(place) : std::string_view()).add(horizon.receipts);
  if (owner != nullptr) params.add(name.owner);
  TRY(rows, connection.run(owner != nullptr ? CANDIDATES(" AND owner = $4::int4") : CANDIDATES(""), params));
  return newest(rows, id, owner, horizon, keys);
}

Result<std::optional<ReceiptRecord>> find_light(db::postgres::Connection& connection, std::string_view id,
                                                const Owner& owner, const Horizon& horizon, const StoreKeys& keys,
                                                bool others) {
  constexpr Owner kNobody{};
  TRY(exact, pq_find_receipt(connection, id, horizon, keys));
  if (exact && exact->owner == owner) return exact;
  TRY(own, find_newest(connection, id, &owner, horizon, keys));
  if (own) return own;
  if (exact && (others || exact->owner == kNobody)) return exact;
  return find_newest(connection, id, others ? nullptr : &kNobody, horizon, keys);
}

}  // namespace

Result<std::optional<ReceiptRecord>> pq_find_receipt(db::postgres::Connection& connection, std::string_view receipt_id,
                                                     const Horizon& horizon, const StoreKeys& keys) {
  const Place place = keys.place(receipt_id);
  TRY(rows, connection.run("SELECT " COLUMNS_WITH_HASHES_SINCE("$3::int8") "FROM cloister_receipt r " HASHES
                                                                           "WHERE r.place = $1 AND r.served_at >= $2",
                           db::postgres::Params().add(as_text(place)).add(horizon.receipts).add(horizon.event_hashes)));
  if (rows.count() == 0) return std::optional<ReceiptRecord>();
  TRY(record, read_row(rows, 0, horizon, keys));
  return record && record->receipt_id == receipt_id ? std::move(record) : std::nullopt;
}

Result<std::optional<ReceiptRecord>> pq_find(db::postgres::Connection& connection, std::string_view id,
                                             const Owner& owner, const Horizon& horizon, const StoreKeys& keys,
                                             const FindOptions& options) {
  if (id.empty() || id.size() > std::max(kMostReceiptIdBytes, kMostReplyIdBytes)) return std::optional<ReceiptRecord>();
  TRY(found, find_light(connection, id, owner, horizon.without_event_hashes(), keys, options.others));
  if (!found || !options.event_hashes) return found;
  return pq_find_receipt(connection, found->receipt_id, horizon, keys);
}

Result<std::vector<ReceiptRecord>> pq_list(db::postgres::Connection& connection, const ReceiptStore::Position& after,
                                           std::size_t limit, const Horizon& horizon, const StoreKeys& keys) {
  UnixSeconds served_at = after.served_at;
  std::string place = after.receipt_id.empty() ? std::string() : std::string(as_text(keys.place(after.receipt_id)));
  while (true) {
    // The server computes a whole answer before it sends it: so rows are first chosen by their sizes.
    TRY(rows,
        connection.run(
            "SELECT " COLUMNS "FROM (SELECT *, sum(size) OVER (ORDER BY served_at, place) AS so_far FROM "
            "(SELECT * FROM cloister_receipt WHERE (served_at, place) > ($1, $2) AND served_at >= $3 ORDER BY served_at, place LIMIT $4) p) r " HASHES
            "WHERE r.so_far - r.size < $5 ORDER BY r.served_at, r.place",
            db::postgres::Params()
                .add(served_at)
                .add(place)
                .add(horizon.receipts)
                .add(static_cast<std::int64_t>(std::min(limit, kMostListed)))
                .add(static_cast<std::int64_t>(kPageBytes / 4))));
    std::vector<ReceiptRecord> out;
    for (int i = 0; i < rows.count(); ++i) {
      TRY(record, read_row(rows, i, horizon, keys));
      if (record) out.push_back(std::move(*record));
    }
    // A page of receipts that these keys cannot open is not the end.
    if (!out.empty() || rows.count() == 0) return out;
    served_at = rows.number(rows.count() - 1, 1);
    place = rows.bytes(rows.count() - 1, 0);
  }
}

Result<std::vector<Document>> pq_documents(db::postgres::Connection& connection, std::string_view key) {
  TRY(rows, connection.run("SELECT kind, key, made, text FROM cloister_document WHERE key = $1 ORDER BY kind",
                           db::postgres::Params().add(key)));
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

Result<StoreState> pq_state(db::postgres::Connection& connection) {
  TRY(rows,
      connection.run(
          "SELECT (SELECT sum(receipts)::int8 FROM cloister_totals), (SELECT sum(bytes)::int8 FROM cloister_totals), "
          "(SELECT min(served_at) FROM cloister_receipt)"));
  StoreState state;
  if (rows.count() != 1) return state;
  state.receipts = static_cast<std::uint64_t>(std::max<std::int64_t>(rows.number(0, 0), 0));
  state.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(rows.number(0, 1), 0));
  state.oldest = rows.number(0, 2);
  return state;
}

Result<KnownTimes> pq_known_times(db::postgres::Connection& connection) {
  TRY(rows,
      connection.run("SELECT (SELECT aged_to FROM cloister_store), (SELECT max(served_at) FROM cloister_receipt)"));
  return rows.count() == 1 ? KnownTimes{rows.number(0, 0), rows.number(0, 1)} : KnownTimes{};
}

}  // namespace cloister::store
