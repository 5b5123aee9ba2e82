#include "store/postgres/pq_writer.h"

#include <algorithm>
#include <set>

#include "store/postgres/pq_reader.h"
#include "store/receipt_id.h"
#include "store/record.h"
#include "store/sealed_record.h"

namespace cloister::store {
namespace {

// How much one statement carries: PostgreSQL accepts a gigabyte, and takes time for each.
constexpr std::size_t kMostStatementBytes = 16u << 20;
constexpr std::size_t kMostStatementRows = 1024;

// $7, $8: the digest of a reply id and its receipt, as an index into the other arrays; $9: the digest of the owner.
constexpr const char* kAdd =
    "WITH input AS (SELECT * FROM unnest($1::bytea[], $2::int8[], $3::int8[], $4::bytea[], $5::bytea[], $6::bytea[]) "
    "WITH ORDINALITY AS t(place, served_at, size, names, sealed, hashes, number)), "
    "added AS (INSERT INTO cloister_receipt(place, served_at, size, names, sealed) "
    "SELECT place, served_at, size, names, sealed FROM input ORDER BY number ON CONFLICT (place) DO NOTHING RETURNING seq, place), "
    "placed AS (SELECT added.seq, input.served_at, input.size, input.hashes, input.number FROM added JOIN input USING (place)), "
    "hashes AS (INSERT INTO cloister_event_hashes(seq, served_at, sealed) SELECT seq, served_at, hashes FROM placed WHERE hashes IS NOT NULL), "
    "names AS (INSERT INTO cloister_name(id, owner, seq) SELECT n.id, n.owner::int4, placed.seq "
    "FROM unnest($7::int8[], $8::int8[], $9::int8[]) AS n(id, number, owner) JOIN placed USING (number) ON CONFLICT DO NOTHING), "
    "counted AS (UPDATE cloister_totals SET receipts = receipts + (SELECT count(*) FROM placed), "
    "bytes = bytes + (SELECT coalesce(sum(size + coalesce(octet_length(hashes), 0)), 0) FROM placed) "
    "WHERE slot = pg_backend_pid() % 16 AND EXISTS (SELECT FROM placed)) "
    "SELECT place FROM added";

Result<void> check_same(db::postgres::Connection& connection, const ReceiptRecord& record, const StoreKeys& keys) {
  TRY(stored, pq_find_receipt(connection, record.receipt_id, {INT64_MIN, INT64_MIN}, keys));
  if (stored && same_content(*stored, record)) return {};
  return fail(ErrorCode::kStoreConflict,
              "a receipt of the id " + shown_id(record.receipt_id) + " is stored with another content");
}

Result<void> add(db::postgres::Connection& connection, std::span<const ReceiptRecord* const> records,
                 const StoreKeys& keys) {
  using Column = std::vector<std::optional<std::string_view>>;
  Column places, names, texts, hashes;
  std::vector<std::int64_t> served, sizes, name_ids, name_numbers, name_owners;
  std::vector<SealedRecord> sealed;
  std::vector<std::string> packed_names;
  sealed.reserve(records.size());
  packed_names.reserve(records.size());
  for (const ReceiptRecord* each : records) {
    const SealedRecord& one = sealed.emplace_back(seal_record(*each, keys));
    packed_names.push_back(pack_names(one.names));
    places.push_back(as_text(one.place));
    served.push_back(one.served_at);
    sizes.push_back(one.size);
    names.push_back(packed_names.back());
    texts.push_back(one.text);
    hashes.push_back(one.event_hashes.empty() ? std::nullopt : std::optional<std::string_view>(one.event_hashes));
    for (const Name& name : one.names) {
      name_ids.push_back(name.id);
      name_numbers.push_back(static_cast<std::int64_t>(places.size()));
      name_owners.push_back(name.owner);
    }
  }
  db::postgres::Params params;
  params.add(places).add(served).add(sizes).add(names).add(texts).add(hashes);
  params.add(name_ids).add(name_numbers).add(name_owners);
  TRY(added, connection.run(kAdd, params));
  if (static_cast<std::size_t>(added.count()) == records.size()) return {};
  std::set<std::string_view> fresh;
  for (int i = 0; i < added.count(); ++i) fresh.insert(added.bytes(i, 0));
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!fresh.contains(as_text(sealed[i].place))) TRY_VOID(check_same(connection, *records[i], keys));
  }
  return {};
}

// `chosen` selects the seq of receipts, and locks them.
Result<std::int64_t> drop_receipts(db::postgres::Connection& connection, const std::string& chosen,
                                   const db::postgres::Params& params) {
  TRY(transaction, db::postgres::Transaction::begin(connection));
  TRY(gone,
      connection.run(
          "WITH gone AS (DELETE FROM cloister_receipt WHERE seq IN (" + chosen +
              ") RETURNING seq, size, names), "
              "hashes AS (DELETE FROM cloister_event_hashes h USING gone WHERE h.seq = gone.seq RETURNING octet_length(h.sealed) AS size), "
              "counted AS (UPDATE cloister_totals SET receipts = receipts - (SELECT count(*) FROM gone), "
              "bytes = bytes - (SELECT coalesce(sum(size), 0) FROM gone) - (SELECT coalesce(sum(size), 0) FROM hashes) "
              "WHERE slot = pg_backend_pid() % 16 AND EXISTS (SELECT FROM gone)) SELECT seq, names FROM gone",
          params));
  std::vector<std::int64_t> seqs, ids;
  for (int i = 0; i < gone.count(); ++i) {
    for (const Name& name : unpack_names(gone.bytes(i, 1))) {
      seqs.push_back(gone.number(i, 0));
      ids.push_back(name.id);
    }
  }
  TRY_VOID(connection.run(
      "DELETE FROM cloister_name n USING unnest($1::int8[], $2::int8[]) AS t(id, seq) WHERE n.id = t.id AND n.seq = t.seq",
      db::postgres::Params().add(ids).add(seqs)));
  TRY_VOID(transaction.commit());
  return gone.count();
}

Result<std::int64_t> drop_event_hashes(db::postgres::Connection& connection, const std::string& chosen,
                                       const db::postgres::Params& params) {
  TRY(gone, connection.run(
                "WITH gone AS (DELETE FROM cloister_event_hashes WHERE seq IN (" + chosen +
                    ") RETURNING octet_length(sealed) AS size), "
                    "counted AS (UPDATE cloister_totals SET bytes = bytes - (SELECT coalesce(sum(size), 0) FROM gone) "
                    "WHERE slot = pg_backend_pid() % 16 AND EXISTS (SELECT FROM gone)) SELECT count(*) FROM gone",
                params));
  return gone.count() == 1 ? gone.number(0, 0) : 0;
}

// Number of bytes over the limit; 0: none.
Result<std::int64_t> excess(db::postgres::Connection& connection, std::uint64_t limit) {
  TRY(state, connection.run("SELECT sum(bytes)::int8 FROM cloister_totals"));
  const std::int64_t bytes = state.count() == 1 ? state.number(0, 0) : 0;
  if (bytes <= 0 || static_cast<std::uint64_t>(bytes) <= limit) return 0;
  return bytes - static_cast<std::int64_t>(limit);
}

}  // namespace

Result<std::vector<const ReceiptRecord*>> in_order(std::span<const ReceiptRecord> batch) {
  std::vector<const ReceiptRecord*> out;
  for (const ReceiptRecord& each : batch) out.push_back(&each);
  std::stable_sort(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->receipt_id < b->receipt_id; });
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i - 1]->receipt_id == out[i]->receipt_id && !same_content(*out[i - 1], *out[i])) {
      return fail(ErrorCode::kStoreConflict, "two receipts of the id " + shown_id(out[i]->receipt_id) + " differ");
    }
  }
  out.erase(
      std::unique(out.begin(), out.end(), [](const auto* a, const auto* b) { return a->receipt_id == b->receipt_id; }),
      out.end());
  return out;
}

Result<void> pq_put(db::postgres::Connection& connection, const std::vector<const ReceiptRecord*>& batch,
                    const StoreKeys& keys) {
  TRY(transaction, db::postgres::Transaction::begin(connection));
  TRY_VOID(pq_put_within(connection, batch, keys));
  return transaction.commit();
}

Result<void> pq_put_within(db::postgres::Connection& connection, const std::vector<const ReceiptRecord*>& batch,
                           const StoreKeys& keys) {
  std::span<const ReceiptRecord* const> rest = batch;
  while (!rest.empty()) {
    std::size_t count = 0, bytes = 0;
    while (count < std::min(rest.size(), kMostStatementRows) && (count == 0 || bytes < kMostStatementBytes)) {
      bytes += rest[count]->receipt.size() + rest[count]->event_hashes.size();
      ++count;
    }
    TRY_VOID(add(connection, rest.first(count), keys));
    rest = rest.subspan(count);
  }
  return {};
}

Result<void> pq_put_document(db::postgres::Connection& connection, const Document& document) {
  TRY_VOID(connection.run(
      "INSERT INTO cloister_document(key, kind, made, text) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (key, kind) DO UPDATE SET made = excluded.made, text = excluded.text",
      db::postgres::Params().add(document.key).add(document.kind).add(document.made).add(document.text)));
  return {};
}

Result<void> pq_set_aged_to(db::postgres::Connection& connection, UnixSeconds aged_to) {
  TRY_VOID(connection.run("UPDATE cloister_store SET aged_to = $1", db::postgres::Params().add(aged_to)));
  return {};
}

Result<std::int64_t> pq_drop_event_hashes_before(db::postgres::Connection& connection, UnixSeconds served_at) {
  return drop_event_hashes(connection,
                           "SELECT seq FROM cloister_event_hashes WHERE served_at < $1 ORDER BY served_at LIMIT 256 "
                           "FOR UPDATE SKIP LOCKED",
                           db::postgres::Params().add(served_at));
}

Result<std::int64_t> pq_drop_receipts_before(db::postgres::Connection& connection, UnixSeconds served_at) {
  return drop_receipts(
      connection,
      "SELECT seq FROM cloister_receipt WHERE served_at < $1 ORDER BY served_at LIMIT 256 FOR UPDATE SKIP LOCKED",
      db::postgres::Params().add(served_at));
}

Result<std::int64_t> pq_drop_documents_before(db::postgres::Connection& connection, UnixSeconds made) {
  TRY(gone, connection.run(
                "WITH gone AS (DELETE FROM cloister_document WHERE made < $1 RETURNING 1) SELECT count(*) FROM gone",
                db::postgres::Params().add(made)));
  return gone.count() == 1 ? gone.number(0, 0) : 0;
}

Result<std::int64_t> pq_drop_event_hashes_over(db::postgres::Connection& connection, std::uint64_t limit) {
  TRY(bytes, excess(connection, limit));
  if (bytes == 0) return 0;
  return drop_event_hashes(
      connection,
      "SELECT seq FROM (SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before FROM (SELECT seq, octet_length(sealed) AS size "
      "FROM cloister_event_hashes ORDER BY seq LIMIT 256 FOR UPDATE SKIP LOCKED) f) s WHERE before < $1",
      db::postgres::Params().add(bytes));
}

Result<std::int64_t> pq_drop_receipts_over(db::postgres::Connection& connection, std::uint64_t limit) {
  TRY(bytes, excess(connection, limit));
  if (bytes == 0) return 0;
  return drop_receipts(
      connection,
      "SELECT seq FROM (SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before FROM (SELECT seq, size "
      "FROM cloister_receipt ORDER BY seq LIMIT 256 FOR UPDATE SKIP LOCKED) f) s WHERE before < $1",
      db::postgres::Params().add(bytes));
}

}  // namespace cloister::store
