#include "db/postgres/schema.h"

namespace cloister::db::postgres {
namespace {

// 0: there are no tables.
Result<std::int64_t> version_of(Connection& connection, const Schema& schema) {
  // to_regclass() is not used, since within one transaction it may remember that there was no table.
  TRY(there, connection.run(
                 "SELECT count(*) FROM pg_class WHERE relname = convert_from($1, 'UTF8') AND pg_table_is_visible(oid)",
                 Params().add(schema.version_table)));
  if (there.count() != 1 || there.number(0, 0) == 0) return 0;
  TRY(rows, connection.run("SELECT version FROM " + schema.version_table));
  const std::int64_t version = rows.count() == 1 ? rows.number(0, 0) : -1;
  if (version >= 1 && version <= schema.newest) return version;
  return fail(ErrorCode::kStoreDamaged, "the " + schema.what + " in PostgreSQL is of version " +
                                            std::to_string(version) + "; this program knows versions 1 to " +
                                            std::to_string(schema.newest));
}

Result<void> bring_up_to_date(Connection& connection, const Schema& schema) {
  TRY(transaction, Transaction::begin(connection));
  TRY_VOID(connection.run("SELECT pg_advisory_xact_lock($1)", Params().add(schema.lock)));
  // Checked again, now that no other replica does the same.
  TRY(version, version_of(connection, schema));
  if (version == schema.newest) return {};
  TRY_VOID(schema.step(connection, version));
  TRY_VOID(connection.run("UPDATE " + schema.version_table + " SET version = " + std::to_string(schema.newest)));
  return transaction.commit();
}

}  // namespace

Result<void> prepare_tables(Connection& connection, const Schema& schema, Access access) {
  TRY(version, version_of(connection, schema));
  if (version == schema.newest) return {};
  if (access == Access::kCreate) return bring_up_to_date(connection, schema);
  if (version == 0) return fail(ErrorCode::kStoreFailed, "there is no " + schema.what + " in this database");
  return fail(ErrorCode::kStoreFailed, "the " + schema.what + " in this database is of version " +
                                           std::to_string(version) + ", which " + schema.brought_by +
                                           " brings up to date");
}

}  // namespace cloister::db::postgres
