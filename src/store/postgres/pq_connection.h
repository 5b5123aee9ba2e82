// One connection to a PostgreSQL server, with a bound on every wait. One thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "store/postgres/pq_values.h"
#include "store/store_options.h"

namespace cloister::store {

class PqConnection {
 public:
  // Reads the connection string from `file` each time, so that a password can be changed. kUsage for an invalid string,
  // kStoreFailed for a server that does not answer. No message ever holds the string.
  static Result<std::unique_ptr<PqConnection>> open(const std::filesystem::path& file, Durability durability);
  ~PqConnection();
  PqConnection(const PqConnection&) = delete;
  PqConnection& operator=(const PqConnection&) = delete;

  // Runs one statement. It waits slightly longer than the server may work on it.
  Result<PqRows> run(const std::string& sql, const PqParams& params = {});

  // After an error: true when the same work on a new connection may succeed (the server went away, did not answer, or
  // chose this transaction of two that waited for each other).
  bool worth_another_try() const { return broken_ || retry_; }
  void forget_errors() { retry_ = false; }
  // True when it must not be used again.
  bool broken() const { return broken_; }
  bool in_transaction() const;

 private:
  PqConnection(const PqLibrary& library, PGconn* connection) : library_(library), connection_(connection) {}
  Result<void> wait_until(std::int64_t deadline_ms, bool writing);
  Error error_of(const PGresult* result);
  Error lost(const std::string& what);

  const PqLibrary& library_;
  PGconn* connection_;
  bool broken_ = false;
  bool retry_ = false;  // kept, so that undoing a transaction does not hide the reason
};

// Undone unless commit() succeeds.
class PqTransaction {
 public:
  static Result<PqTransaction> begin(PqConnection& connection);
  PqTransaction(PqTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  PqTransaction& operator=(PqTransaction&&) = delete;
  ~PqTransaction();
  Result<void> commit();

 private:
  explicit PqTransaction(PqConnection& connection) : connection_(&connection) {}
  PqConnection* connection_;
};

}  // namespace cloister::store
