#include "store/sqlite/tables.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "store/key_check.h"
#include "store/sqlite/encrypt_plain.h"
#include "store/sqlite/table_texts.h"

namespace cloister::store {
namespace {

constexpr std::int64_t kApplicationId = 0x436c7374;  // "Clst", by which `file` and other programs recognise it

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

Result<void> create(const Connection& connection) {
  for (const char* sql : kTables) TRY_VOID(connection.run(sql));
  return connection.run("INSERT INTO state VALUES(1, 0, 0, 0, 0, 0); PRAGMA application_id=" +
                        std::to_string(kApplicationId));
}

Result<void> encrypt(const Connection& connection, std::int64_t version, const StoreKeys& keys) {
  TRY_VOID(check_tables(connection, version == 1 ? std::span<const char* const>(kTablesOf1) : kTablesOf2));
  if (!keys.lasts())
    return fail(ErrorCode::kStoreFailed, message_for_plain_store(connection.name()), connection.name());
  return encrypt_plain_tables(connection, version, keys);
}

Result<void> migrate(const Connection& connection, const StoreKeys& keys) {
  // What is deleted from here on is overwritten; in a file that this program created nothing is ever deleted otherwise.
  TRY_VOID(connection.run("PRAGMA secure_delete=ON"));
  TRY(transaction, Transaction::begin(connection));
  // Checked again, now that nobody else can write.
  TRY(version, connection.number("PRAGMA user_version"));
  if (version == kVersion) return {};
  TRY_VOID(version == 0 ? create(connection) : encrypt(connection, version, keys));
  TRY_VOID(connection.run("PRAGMA user_version=" + std::to_string(kVersion)));
  return transaction.commit();
}

// Checks that every lasting key that rows may be encrypted with is available, and that the file lists the newest as one
// of them. A file that is only read stays unchanged.
Result<void> check_keys(const Connection& connection, const StoreKeys& keys, bool reading) {
  bool known = false;
  {
    TRY(statement, connection.prepare("SELECT id FROM key"));
    while (true) {
      TRY(row, statement.step());
      if (!row) break;
      const std::string_view id = statement.bytes(0);
      if (!keys.has(as_bytes(id))) {
        return fail(ErrorCode::kStoreFailed, message_for_missing_key(connection.name(), as_bytes(id), keys),
                    connection.name());
      }
      known |= id == as_text(keys.newest());
    }
  }
  if (reading || known || !keys.lasts()) return {};
  TRY(add, connection.prepare("INSERT OR IGNORE INTO key(id) VALUES(?1)"));
  return add.bind(1, as_text(keys.newest())).run();
}

}  // namespace

Result<std::int64_t> check_identity(const Connection& connection) {
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
  if (*application != kApplicationId) {
    return fail(ErrorCode::kStoreDamaged, connection.name() + " is a database, but no receipt store",
                connection.name());
  }
  if (*version < 1 || *version > kVersion) {
    return fail(ErrorCode::kStoreDamaged,
                connection.name() + " is of version " + std::to_string(*version) +
                    "; this program knows versions 1 to " + std::to_string(kVersion),
                connection.name());
  }
  return *version;
}

Result<void> bring_up_to_date(const Connection& connection, std::int64_t version, const StoreKeys& keys) {
  if (version < kVersion) TRY_VOID(migrate(connection, keys));
  TRY_VOID(check_tables(connection, kTables));
  return check_keys(connection, keys, false);
}

Result<void> check_existing(const Connection& connection, std::int64_t version, const StoreKeys& keys) {
  if (version == 0) {
    return fail(ErrorCode::kStoreFailed, "there is no receipt store in " + connection.name() + ": it is empty",
                connection.name());
  }
  if (version < kVersion) {
    return fail(ErrorCode::kStoreFailed,
                connection.name() + " is a receipt store of version " + std::to_string(version) +
                    ", which cloister serve or cloister receipts import brings up to date",
                connection.name());
  }
  TRY_VOID(check_tables(connection, kTables));
  return check_keys(connection, keys, true);
}

Result<bool> wipe_plain_pages(const Connection& connection) {
  TRY(plain, connection.number("SELECT plain FROM state"));
  if (plain == 0) return true;
  // Returns unused pages to the file system; this version wrote the used ones.
  TRY_VOID(connection.run("PRAGMA secure_delete=ON; PRAGMA incremental_vacuum"));
  TRY(left, connection.number("PRAGMA freelist_count"));
  if (left > 0) TRY_VOID(connection.run("PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY"));
  TRY(busy, connection.number("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != 0) return false;
  TRY_VOID(connection.run("UPDATE state SET plain = 0; PRAGMA secure_delete=FAST"));
  return true;
}

}  // namespace cloister::store
