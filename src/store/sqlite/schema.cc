#include "store/sqlite/schema.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace cloister::store {
namespace {

constexpr std::int64_t kApplicationId = 0x436c7374;   // "Clst": what `file` and other programs know it by
constexpr int kBusyMs = 2000;
constexpr std::uintmax_t kCheckedBytes = 32u << 20;   // a file up to this size is looked through when it is opened

// Statement by statement what the tables are made with, and what a file of this version must hold, word for word: whoever
// wrote the file decides nothing about it.
//   receipt      in the order of arrival (seq); the large columns last, so that the others are read without them
//   name         reply ids by a short digest of id and owner (store/record.h): random keys, so as small as can be
//   event_hashes a table of their own, because they go long before their receipts
//   state        one row: the totals, so that nobody has to count
constexpr std::array kTables = {
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL UNIQUE, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT",
    "CREATE INDEX receipt_served ON receipt(served_at, receipt_id)",
    "CREATE TABLE name(id INTEGER NOT NULL, owner INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(id, owner, seq)) STRICT, WITHOUT ROWID",
    "CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT",
    "CREATE INDEX event_hashes_served ON event_hashes(served_at)",
    "CREATE TABLE document(key BLOB NOT NULL, kind BLOB NOT NULL, made INTEGER NOT NULL, text BLOB NOT NULL, "
    "PRIMARY KEY(key, kind)) STRICT",
    "CREATE INDEX document_made ON document(made)",
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_seq INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT",
};

Result<void> create_tables(const Connection& connection) {
  for (const char* sql : kTables) TRY_VOID(connection.run(sql));
  return connection.run("INSERT INTO state VALUES(1, 1, 0, 0, 0); PRAGMA application_id=" + std::to_string(kApplicationId));
}

// What makes a file of one version one of the next; in order, the first from a file without tables. A change of kTables adds
// a step here.
constexpr std::array kMigrations = {&create_tables};
constexpr std::int64_t kVersion = kMigrations.size();

Result<void> migrate(const Connection& connection) {
  TRY(transaction, Transaction::begin(connection));
  // Again, now that nobody else can write.
  TRY(version, connection.number("PRAGMA user_version"));
  for (std::int64_t v = version; v < kVersion; ++v) TRY_VOID(kMigrations[static_cast<std::size_t>(v)](connection));
  TRY_VOID(connection.run("PRAGMA user_version=" + std::to_string(kVersion)));
  return transaction.commit();
}

Result<void> check_tables(const Connection& connection) {
  TRY(statement, connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"));
  std::size_t count = 0;
  while (true) {
    TRY(row, statement.step());
    if (!row) break;
    if (count == kTables.size() || statement.bytes(0) != kTables[count]) return connection.damaged("its tables are not ours");
    ++count;
  }
  if (count != kTables.size()) return connection.damaged("tables are missing");
  return {};
}

// Reads only: a file that is not ours stays as it is. The version; 0 for a file without anything.
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
    return fail(ErrorCode::kStoreDamaged, connection.name() + " is a database, but no receipt store", connection.name());
  }
  if (*version < 1 || *version > kVersion) {
    return fail(ErrorCode::kStoreDamaged, connection.name() + " is of version " + std::to_string(*version) +
                                              "; this program knows versions 1 to " + std::to_string(kVersion), connection.name());
  }
  return *version;
}

Result<void> bring_up_to_date(const Connection& connection, std::int64_t version) {
  if (version < kVersion) TRY_VOID(migrate(connection));
  return check_tables(connection);
}

Result<void> look_through(const Connection& connection, std::uintmax_t size_bytes) {
  if (size_bytes == 0 || size_bytes > kCheckedBytes) return {};
  TRY(found, connection.text("PRAGMA quick_check(1)"));
  if (found != "ok") return connection.damaged(found);
  return {};
}

// Turning a new file into one with a write-ahead log takes a lock for which SQLite does not wait by itself: of several
// processes that make the file at once, those that come second try again.
Result<std::string> switch_to_wal(const Connection& connection) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyMs);
  while (true) {
    Result<std::string> mode = connection.text("PRAGMA journal_mode=WAL");
    if (mode || mode.error().code != ErrorCode::kStoreFailed || std::chrono::steady_clock::now() >= give_up) return mode;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Error cannot(const char* what, const std::filesystem::path& file, int code) {
  return fail(ErrorCode::kStoreFailed, std::string("cannot ") + what + " " + file.string() + ": " + strerror(code), file.string());
}

// A regular file of ours that nobody else writes, made with mode 0600 when it is not there; SQLite gives the files beside it
// the same mode. Its size.
Result<std::uintmax_t> prepare_file(const std::filesystem::path& file, Access access) {
  const bool create = access == Access::kCreate;
  const FileDescriptor opened(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0), 0600));
  if (opened.get() < 0) {
    if (errno == ELOOP) return fail(ErrorCode::kStoreFailed, file.string() + " is a symbolic link", file.string());
    return cannot("open the receipt store", file, errno);
  }
  struct stat facts {};
  if (::fstat(opened.get(), &facts) != 0) return cannot("look at", file, errno);
  if (!S_ISREG(facts.st_mode)) return fail(ErrorCode::kStoreFailed, file.string() + " is no regular file", file.string());
  if ((facts.st_mode & 022) != 0) {
    return fail(ErrorCode::kStoreFailed, file.string() + " can be written by other users; chmod 600 ends that", file.string());
  }
  return static_cast<std::uintmax_t>(facts.st_size);
}

}  // namespace

Result<std::unique_ptr<Connection>> open_writer(const std::filesystem::path& file, Access access, Durability durability) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (access == Access::kCreate) {
    if (Result<void> made = ensure_private_folder(folder); !made) return fail(ErrorCode::kStoreFailed, made.error().message, folder);
  }
  TRY(size, prepare_file(file, access));
  std::error_code code;
  // So that the path cannot be led elsewhere later; and a name like "file:x?mode=ro" is a name.
  const std::filesystem::path real = std::filesystem::canonical(folder, code) / file.filename();
  if (code) return cannot("find the folder of", file, code.value());
  TRY(connection, Connection::open(real, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, kBusyMs));
  TRY(version, check_identity(*connection));
  // Before there are tables: neither can be changed afterwards.
  if (size == 0) TRY_VOID(connection->run("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL"));
  TRY(mode, switch_to_wal(*connection));
  if (mode != "wal") return fail(ErrorCode::kStoreFailed, "the file system of " + file.string() + " cannot hold a write-ahead log", file);
  TRY_VOID(connection->run(std::string("PRAGMA synchronous=") + (durability == Durability::kMachine ? "FULL" : "NORMAL")));
  TRY_VOID(look_through(*connection, size));
  TRY_VOID(bring_up_to_date(*connection, version));
  // At most 64 MiB of log are kept after a burst. 32 MiB of pages in memory.
  TRY_VOID(connection->run("PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-32768; PRAGMA secure_delete=FAST"));
  return connection;
}

Result<std::unique_ptr<Connection>> open_memory() {
  TRY(connection, Connection::open(":memory:", "the receipt store in memory", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0));
  TRY_VOID(bring_up_to_date(*connection, 0));
  return connection;
}

Result<std::unique_ptr<Connection>> open_reader(const Connection& writer) {
  TRY(connection, Connection::open(writer.file(), writer.name(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, kBusyMs));
  TRY_VOID(connection->run("PRAGMA query_only=ON; PRAGMA cache_size=-8192"));
  return connection;
}

}  // namespace cloister::store
