#include "db/sqlite/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace cloister::db::sqlite {
namespace {

constexpr int kBusyMs = 2000;
constexpr std::uintmax_t kCheckedBytes = 32u << 20;  // a file up to this size is checked completely when it is opened

Result<void> look_through(const db::sqlite::Connection& connection, std::uintmax_t size_bytes) {
  if (size_bytes == 0 || size_bytes > kCheckedBytes) return {};
  TRY(found, connection.text("PRAGMA quick_check(1)"));
  if (found != "ok") return connection.damaged(found);
  return {};
}

// Turning a new file into one with a write-ahead log takes a lock for which SQLite does not wait by itself: when
// several processes create the file at once, the later ones try again.
Result<std::string> switch_to_wal(const db::sqlite::Connection& connection) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kBusyMs);
  while (true) {
    Result<std::string> mode = connection.text("PRAGMA journal_mode=WAL");
    if (mode || mode.error().code != ErrorCode::kStoreFailed || std::chrono::steady_clock::now() >= give_up)
      return mode;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Error cannot(const std::string& what, const std::filesystem::path& file, int code) {
  return fail(ErrorCode::kStoreFailed, "cannot " + what + " " + file.string() + ": " + strerror(code), file.string());
}

// Makes sure that the file is a regular one of ours that nobody else can write; it is created with mode 0600 when it
// does not exist, and SQLite gives its other files the same mode. Returns its size.
Result<std::uintmax_t> prepare_file(const std::filesystem::path& file, std::string_view what, Access access) {
  const bool create = access == Access::kCreate;
  const FileDescriptor opened(::open(
      file.c_str(), (create ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0), 0600));
  if (opened.get() < 0) {
    if (errno == ELOOP) return fail(ErrorCode::kStoreFailed, file.string() + " is a symbolic link", file.string());
    return cannot("open the " + std::string(what), file, errno);
  }
  struct stat facts {};
  if (::fstat(opened.get(), &facts) != 0) return cannot("look at", file, errno);
  if (!S_ISREG(facts.st_mode))
    return fail(ErrorCode::kStoreFailed, file.string() + " is no regular file", file.string());
  if ((facts.st_mode & 022) != 0) {
    return fail(ErrorCode::kStoreFailed, file.string() + " can be written by other users; chmod 600 ends that",
                file.string());
  }
  return static_cast<std::uintmax_t>(facts.st_size);
}

}  // namespace

Result<std::unique_ptr<Connection>> open_file(const std::filesystem::path& file, std::string_view what,
                                              Durability durability, Access access, const Schema& schema) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (access == Access::kCreate) {
    if (Result<void> made = ensure_private_folder(folder); !made)
      return fail(ErrorCode::kStoreFailed, made.error().message, folder);
  }
  TRY(size, prepare_file(file, what, access));
  std::error_code code;
  // So that the path cannot be redirected later; and a name like "file:x?mode=ro" stays a name.
  const std::filesystem::path real = std::filesystem::canonical(folder, code) / file.filename();
  if (code) return cannot("find the folder of", file, code.value());
  TRY(connection, Connection::open(real, file, what, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, kBusyMs));
  TRY(version, check_identity(*connection, schema));
  if (access == Access::kExisting) {
    TRY_VOID(look_through(*connection, size));
    TRY_VOID(check_existing(*connection, schema, version));
    TRY_VOID(connection->run("PRAGMA query_only=ON; PRAGMA cache_size=-32768"));
    return connection;
  }
  // Set before there are tables: neither can be changed afterwards.
  if (size == 0) TRY_VOID(connection->run("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL"));
  TRY(mode, switch_to_wal(*connection));
  if (mode != "wal")
    return fail(ErrorCode::kStoreFailed, "the file system of " + file.string() + " cannot hold a write-ahead log",
                file);
  TRY_VOID(
      connection->run(std::string("PRAGMA synchronous=") + (durability == Durability::kMachine ? "FULL" : "NORMAL")));
  TRY_VOID(look_through(*connection, size));
  TRY_VOID(bring_up_to_date(*connection, schema, version));
  // At most 64 MiB of log are kept after a burst. 32 MiB of pages are kept in memory.
  TRY_VOID(connection->run("PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-32768"));
  return connection;
}

Result<std::unique_ptr<Connection>> open_memory(std::string name, std::string_view what, const Schema& schema) {
  TRY(connection, Connection::open(":memory:", std::move(name), what, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0));
  TRY_VOID(bring_up_to_date(*connection, schema, 0));
  return connection;
}

Result<std::unique_ptr<Connection>> open_reader(const Connection& writer) {
  TRY(connection, Connection::open(writer.file(), writer.name(), writer.what(),
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, kBusyMs));
  TRY_VOID(connection->run("PRAGMA query_only=ON; PRAGMA cache_size=-8192"));
  return connection;
}

}  // namespace cloister::db::sqlite
