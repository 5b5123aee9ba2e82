// One connection to an SQLite database, and prepared statements on it. No other file of the program includes SQLite's header. A connection
// and its statements belong to one thread at a time. Errors are kStoreFailed and kStoreDamaged.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace cloister::db::sqlite {

class Connection;

// Bind, step until false, then reset: Row does the last by itself.
class Statement {
 public:
  Statement() = default;

  Statement& bind(int index, std::int64_t value);
  // The bytes are not copied: they outlive the next reset().
  Statement& bind(int index, std::string_view bytes);
  Statement& bind_null(int index);

  // True: there is a row.
  Result<bool> step();
  // For statements that return no rows.
  Result<void> run();
  void reset();

  std::int64_t number(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  // Valid until the next step or reset.
  std::string_view bytes(int column) const;

 private:
  friend class Connection;
  friend class Transaction;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const Connection* connection_ = nullptr;
};

// Resets the statement when it is destroyed, so that no read stays open and nothing points to bytes that are gone.
class StatementUse {
 public:
  explicit StatementUse(Statement& statement) : statement_(statement) {}
  ~StatementUse() { statement_.reset(); }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;

 private:
  Statement& statement_;
};

class Connection {
 public:
  // `file` is SQLite's name (":memory:", a path). Errors name the database `name`, and say that it is a `what` ("receipt store"). Protected against what a hostile file
  // can hold: no trusted schema, no triggers, no views, cells checked. Waits at most `busy_ms` for another process.
  static Result<std::unique_ptr<Connection>> open(const std::string& file, std::string name, std::string_view what,
                                                  int flags, int busy_ms);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs any number of statements without parameters; rows are ignored.
  Result<void> run(const std::string& sql) const;
  // Returns the first column of the first row, as a number or as text; 0 and "" when there is no row.
  Result<std::int64_t> number(const std::string& sql) const;
  Result<std::string> text(const std::string& sql) const;
  Result<Statement> prepare(std::string_view sql) const;

  // The error of the last call that failed: kStoreDamaged or kStoreFailed, with the file's name.
  Error error() const;
  // The same kind of error for what SQLite itself did not notice.
  Error damaged(const std::string& what) const;
  // True when the file is no longer where it was opened: SQLite would continue to write to a file that nobody can find. One system call.
  bool has_moved() const;
  // Called after each commit with the number of pages in the write-ahead log, instead of SQLite's own checkpoints.
  void on_commit(std::function<void(int)> told);

  const std::string& name() const { return name_; }
  const std::string& file() const { return file_; }
  const std::string& what() const { return what_; }
  // Changes when this connection has committed a change, or has begun a transaction and seen that another connection
  // has.
  std::uint32_t data_version() const;
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }

 private:
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Connection(sqlite3* handle, std::string file, std::string name, std::string_view what)
      : handle_(handle), file_(std::move(file)), name_(std::move(name)), what_(what) {}

  std::unique_ptr<sqlite3, Close> handle_;
  const std::string file_;
  const std::string name_;
  const std::string what_;
  std::function<void(int)> on_commit_;
  // The statements of each transaction, prepared when the first begins.
  mutable Statement begin_, commit_;
};

// A write that is undone unless commit() succeeds.
class Transaction {
 public:
  static Result<Transaction> begin(const Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(const Connection& connection) : connection_(&connection) {}
  const Connection* connection_;
};

}  // namespace cloister::db::sqlite
