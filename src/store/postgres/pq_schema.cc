#include "store/postgres/pq_schema.h"

#include <array>

namespace cloister::store {
namespace {

// Any number that nobody else uses in this database: "cloister" in hex.
constexpr const char* kLock = "SELECT pg_advisory_xact_lock(x'636c6f6973746572'::int8)";

// The hashes are as good as random: compressing them is in vain.
constexpr std::array kTables = {
    "CREATE TABLE cloister_store(one boolean PRIMARY KEY DEFAULT true CHECK (one), version int8 NOT NULL, aged_to int8 NOT NULL)",
    "CREATE TABLE cloister_receipt(seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, receipt_id bytea NOT NULL UNIQUE, "
    "served_at int8 NOT NULL, owner bytea NOT NULL, size int8 NOT NULL, reply_ids bytea NOT NULL, legacy bytea, receipt bytea NOT NULL)",
    "CREATE INDEX cloister_receipt_served ON cloister_receipt(served_at, receipt_id)",
    "CREATE TABLE cloister_name(id int8 NOT NULL, owner int4 NOT NULL, seq int8 NOT NULL, PRIMARY KEY(id, owner, seq))",
    "CREATE TABLE cloister_event_hashes(seq int8 PRIMARY KEY, served_at int8 NOT NULL, hashes bytea NOT NULL)",
    "ALTER TABLE cloister_event_hashes ALTER COLUMN hashes SET STORAGE EXTERNAL",
    "CREATE INDEX cloister_event_hashes_served ON cloister_event_hashes(served_at)",
    "CREATE TABLE cloister_document(key bytea NOT NULL, kind bytea NOT NULL, made int8 NOT NULL, text bytea NOT NULL, PRIMARY KEY(key, kind))",
    "CREATE INDEX cloister_document_made ON cloister_document(made)",
    "CREATE TABLE cloister_totals(slot int4 PRIMARY KEY, receipts int8 NOT NULL, bytes int8 NOT NULL)",
    "INSERT INTO cloister_totals SELECT slot, 0, 0 FROM generate_series(0, 15) slot",
    "INSERT INTO cloister_store(version, aged_to) VALUES (0, 0)",
};
static_assert(kTotalsRows == 16);

Result<void> create_tables(PqConnection& connection) {
  for (const char* sql : kTables) TRY_VOID(connection.run(sql));
  return {};
}

// From one version to the next, as in SQLite.
constexpr std::array kMigrations = {&create_tables};
constexpr std::int64_t kVersion = kMigrations.size();

// 0: no tables.
Result<std::int64_t> version_of(PqConnection& connection) {
  // Not by to_regclass(), which within one transaction may remember that there was none.
  TRY(there, connection.run("SELECT count(*) FROM pg_class WHERE relname = 'cloister_store' AND pg_table_is_visible(oid)"));
  if (there.count() != 1 || there.number(0, 0) == 0) return 0;
  TRY(rows, connection.run("SELECT version FROM cloister_store"));
  const std::int64_t version = rows.count() == 1 ? rows.number(0, 0) : -1;
  if (version >= 1 && version <= kVersion) return version;
  return fail(ErrorCode::kStoreDamaged, "the receipt store in PostgreSQL is of version " + std::to_string(version) +
                                            "; this program knows versions 1 to " + std::to_string(kVersion));
}

}  // namespace

Result<void> prepare_tables(PqConnection& connection, Access access) {
  TRY(version, version_of(connection));
  if (version == kVersion) return {};
  if (access == Access::kExisting && version == 0) return fail(ErrorCode::kStoreFailed, "there is no receipt store in this database");
  TRY(transaction, PqTransaction::begin(connection));
  TRY_VOID(connection.run(kLock));
  TRY(locked, version_of(connection));
  for (std::int64_t v = locked; v < kVersion; ++v) TRY_VOID(kMigrations[static_cast<std::size_t>(v)](connection));
  TRY_VOID(connection.run("UPDATE cloister_store SET version = " + std::to_string(kVersion)));
  return transaction.commit();
}

}  // namespace cloister::store
