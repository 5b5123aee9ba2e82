#include "store/sqlite/tables.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace cloister::store {
namespace {

constexpr std::int64_t kApplicationId = 0x436c7374;  // "Clst": what `file` and other programs know it by
constexpr std::int64_t kVersion = 2;

// What did not change since version 1.
#define NAME_TABLE                                                                        \
  "CREATE TABLE name(id INTEGER NOT NULL, owner INTEGER NOT NULL, seq INTEGER NOT NULL, " \
  "PRIMARY KEY(id, owner, seq)) STRICT, WITHOUT ROWID"
#define EVENT_HASHES_TABLE \
  "CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT"
#define EVENT_HASHES_INDEX "CREATE INDEX event_hashes_served ON event_hashes(served_at)"
#define DOCUMENT_TABLE                                                                                       \
  "CREATE TABLE document(key BLOB NOT NULL, kind BLOB NOT NULL, made INTEGER NOT NULL, text BLOB NOT NULL, " \
  "PRIMARY KEY(key, kind)) STRICT"
#define DOCUMENT_INDEX "CREATE INDEX document_made ON document(made)"

//   receipt      in the order of arrival (seq); the large columns last, so that the others are read without them
//   place        receipt ids; moment: in the order that they are listed and grow old in
//   name         reply ids by a short digest of id and owner (store/record.h): random keys, so as small as can be
//   event_hashes a table of their own, because they go long before their receipts
//   state        one row. `place`, `moment`, `name` and its totals know the receipts up to `indexed`; those after it
//   are the
//                tail, kTail at most. Only receipts that they know are deleted, so no seq is given twice.
constexpr const char* kReceiptTable =
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT";
constexpr const char* kPlaceTable =
    "CREATE TABLE place(receipt_id BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID";
constexpr const char* kMomentTable =
    "CREATE TABLE moment(served_at INTEGER NOT NULL, receipt_id BLOB NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(served_at, receipt_id)) STRICT, WITHOUT ROWID";
constexpr const char* kStateTable =
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), indexed INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT";
constexpr const char* kTables[] = {kReceiptTable,      kPlaceTable,    kMomentTable,   NAME_TABLE, EVENT_HASHES_TABLE,
                                   EVENT_HASHES_INDEX, DOCUMENT_TABLE, DOCUMENT_INDEX, kStateTable};

constexpr const char* kTablesOf1[] = {
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL UNIQUE, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT",
    "CREATE INDEX receipt_served ON receipt(served_at, receipt_id)",
    NAME_TABLE,
    EVENT_HASHES_TABLE,
    EVENT_HASHES_INDEX,
    DOCUMENT_TABLE,
    DOCUMENT_INDEX,
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_seq INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT"};

Result<void> check_tables(const Connection& connection, std::span<const char* const> tables) {
  TRY(statement, connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"));
  std::vector<std::string> found;
  while (true) {
    TRY(row, statement.step());
    if (!row) break;
    // One more than there should be is enough to know.
    if (found.size() <= tables.size()) found.emplace_back(statement.bytes(0));
  }
  if (found.size() < tables.size()) return connection.damaged("tables are missing");
  if (!std::ranges::is_permutation(found, tables)) return connection.damaged("its tables are not ours");
  return {};
}

Result<void> create(const Connection& connection) {
  for (const char* sql : kTables) TRY_VOID(connection.run(sql));
  return connection.run("INSERT INTO state VALUES(1, 0, 0, 0, 0); PRAGMA application_id=" +
                        std::to_string(kApplicationId));
}

// There each receipt was in every index at once. Takes a copy of all receipts; the pages of the first are free
// afterwards.
Result<void> from_version_1(const Connection& connection) {
  TRY_VOID(check_tables(connection, kTablesOf1));
  const std::string statements[] = {
      "ALTER TABLE receipt RENAME TO receipt_1",
      kReceiptTable,
      "INSERT INTO receipt SELECT seq, receipt_id, served_at, owner, size, reply_ids, legacy, receipt FROM receipt_1 "
      "ORDER BY seq",
      kPlaceTable,
      "INSERT INTO place SELECT receipt_id, seq FROM receipt_1 ORDER BY receipt_id",
      kMomentTable,
      "INSERT INTO moment SELECT served_at, receipt_id, seq FROM receipt_1 ORDER BY served_at, receipt_id",
      "DROP TABLE receipt_1",
      "ALTER TABLE state RENAME TO state_1",
      kStateTable,
      "INSERT INTO state SELECT one, next_seq - 1, receipts, bytes, aged_to FROM state_1",
      "DROP TABLE state_1",
  };
  for (const std::string& sql : statements) TRY_VOID(connection.run(sql));
  return {};
}

Result<void> migrate(const Connection& connection) {
  TRY(transaction, Transaction::begin(connection));
  // Again, now that nobody else can write.
  TRY(version, connection.number("PRAGMA user_version"));
  if (version == kVersion) return {};
  TRY_VOID(version == 0 ? create(connection) : from_version_1(connection));
  TRY_VOID(connection.run("PRAGMA user_version=" + std::to_string(kVersion)));
  return transaction.commit();
}

}  // namespace

Result<std::int64_t> check_identity(const Connection& connection) {
  // One moment of the file: another process may be making it.
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

Result<void> bring_up_to_date(const Connection& connection, std::int64_t version) {
  if (version < kVersion) TRY_VOID(migrate(connection));
  return check_tables(connection, kTables);
}

}  // namespace cloister::store
