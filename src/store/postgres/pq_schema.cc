#include "store/postgres/pq_schema.h"

#include <array>
#include <span>
#include <vector>

#include "db/postgres/schema.h"
#include "store/key_check.h"
#include "store/postgres/pq_writer.h"
#include "store/record.h"

namespace cloister::store {
namespace {

// Encrypted data is as good as random, so compressing it is useless.
constexpr std::array kTables = {
    "CREATE TABLE cloister_receipt(seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place bytea NOT NULL UNIQUE, "
    "served_at int8 NOT NULL, size int8 NOT NULL, names bytea NOT NULL, sealed bytea NOT NULL)",
    "ALTER TABLE cloister_receipt ALTER COLUMN sealed SET STORAGE EXTERNAL",
    "CREATE INDEX cloister_receipt_served ON cloister_receipt(served_at, place)",
    "CREATE TABLE cloister_name(id int8 NOT NULL, owner int4 NOT NULL, seq int8 NOT NULL, PRIMARY KEY(id, owner, seq))",
    "CREATE TABLE cloister_event_hashes(seq int8 PRIMARY KEY, served_at int8 NOT NULL, sealed bytea NOT NULL)",
    "ALTER TABLE cloister_event_hashes ALTER COLUMN sealed SET STORAGE EXTERNAL",
    "CREATE INDEX cloister_event_hashes_served ON cloister_event_hashes(served_at)",
    "CREATE TABLE cloister_key(id bytea PRIMARY KEY)",
    "CREATE TABLE cloister_totals(slot int4 PRIMARY KEY, receipts int8 NOT NULL, bytes int8 NOT NULL)",
    "INSERT INTO cloister_totals SELECT slot, 0, 0 FROM generate_series(0, 15) slot",
};
static_assert(kTotalsRows == 16);

// These tables are the same in both versions.
constexpr std::array kTablesThatStay = {
    "CREATE TABLE cloister_store(one boolean PRIMARY KEY DEFAULT true CHECK (one), version int8 NOT NULL, aged_to int8 NOT NULL)",
    "INSERT INTO cloister_store(version, aged_to) VALUES (0, 0)",
    "CREATE TABLE cloister_document(key bytea NOT NULL, kind bytea NOT NULL, made int8 NOT NULL, text bytea NOT NULL, PRIMARY KEY(key, kind))",
    "CREATE INDEX cloister_document_made ON cloister_document(made)",
};

constexpr const char* kWhere = "the receipt store in PostgreSQL";

Result<void> run_each(db::postgres::Connection& connection, std::span<const char* const> texts) {
  for (const char* sql : texts) TRY_VOID(connection.run(sql));
  return {};
}

Result<ReceiptRecord> read_plain_row(const db::postgres::Rows& rows, int row, const StoreKeys& keys) {
  ReceiptRecord record;
  record.receipt_id = rows.bytes(row, 1);
  TRY(credential, unpack_owner(rows.bytes(row, 2)));
  record.owner = keys.owner(credential);
  record.served_at = rows.number(row, 3);
  TRY(ids, unpack_ids(rows.bytes(row, 4)));
  record.reply_ids = std::move(ids);
  if (!rows.is_null(row, 5)) {
    TRY(legacy, unpack_legacy(rows.bytes(row, 5)));
    record.legacy = legacy;
  }
  record.receipt = rows.bytes(row, 6);
  if (!rows.is_null(row, 7)) record.event_hashes = rows.bytes(row, 7);
  TRY_VOID(check_record(record));
  return record;
}

// Version 1 kept everything unencrypted. Its tables, and their files, are gone with the transaction.
Result<void> encrypt_plain_tables(db::postgres::Connection& connection, const StoreKeys& keys) {
  if (!keys.lasts()) return fail(ErrorCode::kStoreFailed, message_for_plain_store(kWhere));
  constexpr std::array kBefore = {
      "LOCK TABLE cloister_receipt, cloister_event_hashes, cloister_name, cloister_totals IN ACCESS EXCLUSIVE MODE",
      "DROP TABLE cloister_name, cloister_totals",
      "DROP INDEX cloister_receipt_served, cloister_event_hashes_served",
      "ALTER TABLE cloister_receipt RENAME TO cloister_plain_receipt",
      "ALTER TABLE cloister_event_hashes RENAME TO cloister_plain_event_hashes",
  };
  TRY_VOID(run_each(connection, kBefore));
  TRY_VOID(run_each(connection, kTables));
  for (std::int64_t after = INT64_MIN;;) {
    TRY(rows,
        connection.run("SELECT r.seq, r.receipt_id, r.owner, r.served_at, r.reply_ids, r.legacy, r.receipt, h.hashes "
                       "FROM cloister_plain_receipt r LEFT JOIN cloister_plain_event_hashes h ON h.seq = r.seq "
                       "WHERE r.seq > $1 ORDER BY r.seq LIMIT 64",
                       db::postgres::Params().add(after)));
    if (rows.count() == 0) break;
    std::vector<ReceiptRecord> batch;
    for (int i = 0; i < rows.count(); ++i) {
      Result<ReceiptRecord> record = read_plain_row(rows, i, keys);
      if (!record)
        return fail(ErrorCode::kStoreDamaged, std::string(kWhere) + " is damaged: " + record.error().message);
      batch.push_back(*std::move(record));
    }
    after = rows.number(rows.count() - 1, 0);
    std::vector<const ReceiptRecord*> in_order_of_arrival;
    for (const ReceiptRecord& each : batch) in_order_of_arrival.push_back(&each);
    TRY_VOID(pq_put_within(connection, in_order_of_arrival, keys));
  }
  TRY_VOID(connection.run("DROP TABLE cloister_plain_receipt, cloister_plain_event_hashes"));
  return {};
}

db::postgres::Schema schema(const StoreKeys& keys) {
  const auto step = [&keys](db::postgres::Connection& connection, std::int64_t version) -> Result<void> {
    if (version == 1) return encrypt_plain_tables(connection, keys);
    TRY_VOID(run_each(connection, kTablesThatStay));
    return run_each(connection, kTables);
  };
  // The lock is "cloister".
  return {"receipt store", "cloister serve or cloister receipts import", "cloister_store", 0x636c6f6973746572, 2, step};
}

// As in SQLite (store/sqlite/tables.cc).
Result<void> check_keys(db::postgres::Connection& connection, const StoreKeys& keys, bool reading) {
  TRY(rows, connection.run("SELECT id FROM cloister_key"));
  bool known = false;
  for (int i = 0; i < rows.count(); ++i) {
    const std::string_view id = rows.bytes(i, 0);
    if (!keys.has(as_bytes(id)))
      return fail(ErrorCode::kStoreFailed, message_for_missing_key(kWhere, as_bytes(id), keys));
    known |= id == as_text(keys.newest());
  }
  if (reading || known || !keys.lasts()) return {};
  TRY_VOID(connection.run("INSERT INTO cloister_key(id) VALUES ($1) ON CONFLICT DO NOTHING",
                          db::postgres::Params().add(as_text(keys.newest()))));
  return {};
}

}  // namespace

Result<void> prepare_tables(db::postgres::Connection& connection, Access access, const StoreKeys& keys) {
  TRY_VOID(db::postgres::prepare_tables(connection, schema(keys), access));
  return check_keys(connection, keys, access == Access::kExisting);
}

}  // namespace cloister::store
