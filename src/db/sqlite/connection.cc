#include "db/sqlite/connection.h"

#include <string.h>

#include <cerrno>

namespace cloister::db::sqlite {
namespace {

// A value longer than any of ours is damage; the limit also bounds what a hostile file makes us allocate.
constexpr int kLongestValue = 32 << 20;

// Returns the primary code and, for the system's own failures, its errno.
std::string why(sqlite3* handle) {
  std::string text = sqlite3_errmsg(handle);
  const int primary = sqlite3_errcode(handle) & 0xff;
  if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) {
    const int system = sqlite3_system_errno(handle);
    if (system != 0) text += std::string(": ") + strerror(system);
  }
  return text;
}

Result<void> harden(sqlite3* handle, const Connection& connection) {
  int ignored = 0;
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &ignored);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, &ignored);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, &ignored);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, &ignored);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestValue);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_extended_result_codes(handle, 1);
  // Never through mmap: a file that shrinks under a mapping kills the process.
  return connection.run("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY");
}

}  // namespace

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view bytes) {
  // A null pointer would be NULL, not an empty value.
  sqlite3_bind_blob64(handle_.get(), index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(handle_.get(), index);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_->error();
}

Result<void> Statement::run() {
  const StatementUse use(*this);
  TRY(row, step());
  (void)row;
  return {};
}

void Statement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& file, std::string name, std::string_view what,
                                                     int flags, int busy_ms) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(handle, file, std::move(name), what));
  if (handle == nullptr) return fail(ErrorCode::kStoreFailed, "no memory for a database connection");
  if (code != SQLITE_OK) return connection->error();
  sqlite3_busy_timeout(handle, busy_ms);
  TRY_VOID(harden(handle, *connection));
  return connection;
}

Result<void> Connection::run(const std::string& sql) const {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<std::int64_t> Connection::number(const std::string& sql) const {
  TRY(statement, prepare(sql));
  TRY(row, statement.step());
  return row ? statement.number(0) : 0;
}

Result<std::string> Connection::text(const std::string& sql) const {
  TRY(statement, prepare(sql));
  TRY(row, statement.step());
  return row ? std::string(statement.bytes(0)) : std::string();
}

Result<Statement> Connection::prepare(std::string_view sql) const {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return error();
  statement.handle_.reset(handle);
  statement.connection_ = this;
  return statement;
}

void Connection::on_commit(std::function<void(int)> told) {
  on_commit_ = std::move(told);
  const auto hook = [](void* self, sqlite3*, const char*, int pages) {
    static_cast<Connection*>(self)->on_commit_(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_.get(), on_commit_ ? static_cast<int (*)(void*, sqlite3*, const char*, int)>(hook) : nullptr,
                   this);
}

std::uint32_t Connection::data_version() const {
  std::uint32_t version = 0;
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

Error Connection::error() const {
  sqlite3* handle = handle_.get();
  switch (sqlite3_errcode(handle) & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return damaged(why(handle));
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return fail(ErrorCode::kStoreFailed, name_ + " is locked by another process", name_);
    case SQLITE_FULL: return fail(ErrorCode::kStoreFailed, "no space left to write " + name_, name_);
    default: return fail(ErrorCode::kStoreFailed, "cannot use " + name_ + ": " + why(handle), name_);
  }
}

bool Connection::has_moved() const {
  int moved = 0;
  return sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

Error Connection::damaged(const std::string& what) const {
  return fail(ErrorCode::kStoreDamaged, "the " + what_ + " " + name_ + " is damaged: " + what, name_);
}

Result<Transaction> Transaction::begin(const Connection& connection) {
  if (connection.begin_.handle_ == nullptr) {
    TRY(begin, connection.prepare("BEGIN IMMEDIATE"));
    TRY(commit, connection.prepare("COMMIT"));
    connection.begin_ = std::move(begin);
    connection.commit_ = std::move(commit);
  }
  TRY_VOID(connection.begin_.run());
  return Transaction(connection);
}

Transaction::~Transaction() {
  // A full disk may have undone it already.
  if (connection_ != nullptr && connection_->in_transaction()) (void)connection_->run("ROLLBACK").has_value();
}

Result<void> Transaction::commit() {
  const Connection* connection = connection_;
  TRY_VOID(connection->commit_.run());
  connection_ = nullptr;
  return {};
}

}  // namespace cloister::db::sqlite
