#include "store/sqlite/tables.h"

#include <string>

#include "db/sqlite/file.h"
#include "store/key_check.h"
#include "store/sqlite/encrypt_plain.h"
#include "store/sqlite/table_texts.h"

namespace cloister::store {
namespace {

constexpr std::string_view kWhat = "receipt store";
constexpr std::int64_t kApplicationId = 0x436c7374;  // "Clst"

// `keys` outlive the schema.
db::sqlite::Schema schema(const StoreKeys& keys) {
  const auto step = [&keys](const db::sqlite::Connection& connection, std::int64_t version) -> Result<void> {
    if (version == 0) return connection.run("INSERT INTO state VALUES(1, 0, 0, 0, 0, 0)");
    if (!keys.lasts())
      return fail(ErrorCode::kStoreFailed, message_for_plain_store(connection.name()), connection.name());
    return encrypt_plain_tables(connection, version, keys);
  };
  return {"cloister serve or cloister receipts import", kApplicationId, {kTablesOf1, kTablesOf2, kTables}, step};
}

// Checks that every lasting key that rows may be encrypted with is available, and that the file lists the newest as one
// of them. A file that is only read stays unchanged.
Result<void> check_keys(const db::sqlite::Connection& connection, const StoreKeys& keys, bool reading) {
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

Result<std::unique_ptr<db::sqlite::Connection>> open_writer(const StoreOptions& options) {
  TRY(connection,
      db::sqlite::open_file(options.sqlite_file, kWhat, options.durability, options.access, schema(*options.keys)));
  const bool reading = options.access == Access::kExisting;
  TRY_VOID(check_keys(*connection, *options.keys, reading));
  if (reading) return connection;
  TRY(wiped, wipe_plain_pages(*connection));
  (void)wiped;  // otherwise it is done when the store is pruned
  TRY_VOID(connection->run("PRAGMA secure_delete=FAST"));
  return connection;
}

Result<std::unique_ptr<db::sqlite::Connection>> open_memory(const StoreKeys& keys) {
  TRY(connection, db::sqlite::open_memory("the receipt store in memory", kWhat, schema(keys)));
  TRY_VOID(check_keys(*connection, keys, false));
  return connection;
}

Result<bool> wipe_plain_pages(const db::sqlite::Connection& connection) {
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
