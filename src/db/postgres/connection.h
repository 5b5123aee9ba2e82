// One connection to a PostgreSQL server, with a bound on every wait. One thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "db/options.h"
#include "db/postgres/values.h"

namespace cloister::db::postgres {

class Connection {
 public:
  // Reads the connection string from `file` each time, so that a password can be changed. kUsage for an invalid string,
  // kStoreFailed for a server that does not answer. No message ever holds the string.
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Durability durability);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one statement. It waits slightly longer than the server may work on it.
  Result<Rows> run(const std::string& sql, const Params& params = {});

  // After an error: true when the same work on a new connection may succeed (the server went away, did not answer, or
  // chose this transaction of two that waited for each other).
  bool worth_another_try() const { return broken_ || retry_; }
  void forget_errors() { retry_ = false; }
  // True when it must not be used again.
  bool broken() const { return broken_; }
  bool in_transaction() const;

 private:
  Connection(const Library& library, PGconn* connection) : library_(library), connection_(connection) {}
  Result<void> wait_until(std::int64_t deadline_ms, bool writing);
  Error error_of(const PGresult* result);
  Error lost(const std::string& what);

  const Library& library_;
  PGconn* connection_;
  bool broken_ = false;
  bool retry_ = false;  // kept, so that undoing a transaction does not hide the reason
};

// Undone unless commit() succeeds.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace cloister::db::postgres
