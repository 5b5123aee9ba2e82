#include "db/sqlite/schema.h"

#include <algorithm>
#include <string>

namespace cloister::db::sqlite {
namespace {

Result<void> check_tables(const Connection& connection, std::span<const char* const> tables) {
  TRY(statement, connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"));
  std::vector<std::string> found;
  while (true) {
    TRY(row, statement.step());
    if (!row) break;
    // One table more than expected is enough to know.
    if (found.size() <= tables.size()) found.emplace_back(statement.bytes(0));
  }
  if (found.size() < tables.size()) return connection.damaged("tables are missing");
  if (!std::ranges::is_permutation(found, tables)) return connection.damaged("its tables are not ours");
  return {};
}

Result<void> migrate(const Connection& connection, const Schema& schema) {
  TRY_VOID(connection.run("PRAGMA secure_delete=ON"));
  TRY(transaction, Transaction::begin(connection));
  // Checked again, now that nobody else can write.
  TRY(version, connection.number("PRAGMA user_version"));
  if (version == schema.newest()) return {};
  if (version == 0) {
    for (const char* sql : schema.versions.back()) TRY_VOID(connection.run(sql));
    TRY_VOID(connection.run("PRAGMA application_id=" + std::to_string(schema.application_id)));
  } else {
    TRY_VOID(check_tables(connection, schema.versions[static_cast<std::size_t>(version - 1)]));
  }
  TRY_VOID(schema.step(connection, version));
  TRY_VOID(connection.run("PRAGMA user_version=" + std::to_string(schema.newest())));
  return transaction.commit();
}

}  // namespace

Result<std::int64_t> check_identity(const Connection& connection, const Schema& schema) {
  // One moment of the file: another process may be creating it.
  TRY_VOID(connection.run("BEGIN"));
  const Result<std::int64_t> tables = connection.number("SELECT count(*) FROM sqlite_schema");
  const Result<std::int64_t> application = connection.number("PRAGMA application_id");
  const Result<std::int64_t> version = connection.number("PRAGMA user_version");
  TRY_VOID(connection.run("COMMIT"));
  for (const auto* each : {&tables, &application, &version}) {
    if (!*each) return each->error();
  }
  if (*application == 0 && *version == 0 && *tables == 0) return *version;
  const std::string& name = connection.name();
  if (*application != schema.application_id)
    return fail(ErrorCode::kStoreDamaged, name + " is a database, but no " + connection.what(), name);
  if (*version < 1 || *version > schema.newest()) {
    return fail(ErrorCode::kStoreDamaged,
                name + " is of version " + std::to_string(*version) + "; this program knows versions 1 to " +
                    std::to_string(schema.newest()),
                name);
  }
  return *version;
}

Result<void> bring_up_to_date(const Connection& connection, const Schema& schema, std::int64_t version) {
  if (version < schema.newest()) TRY_VOID(migrate(connection, schema));
  return check_tables(connection, schema.versions.back());
}

Result<void> check_existing(const Connection& connection, const Schema& schema, std::int64_t version) {
  const std::string& name = connection.name();
  if (version == 0)
    return fail(ErrorCode::kStoreFailed, "there is no " + connection.what() + " in " + name + ": it is empty", name);
  if (version < schema.newest()) {
    return fail(ErrorCode::kStoreFailed,
                name + " is a " + connection.what() + " of version " + std::to_string(version) + ", which " +
                    std::string(schema.brought_by) + " brings up to date",
                name);
  }
  return check_tables(connection, schema.versions.back());
}

}  // namespace cloister::db::sqlite
