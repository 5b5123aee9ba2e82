// One connection to a PostgreSQL server, with a bound on every wait. One thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "store/open_store.h"
#include "store/postgres/pq_values.h"

namespace cloister::store {

class PqConnection {
 public:
  // Reads the connection string from `file` each time, so that a password can be changed. kUsage for a string that is none,
  // kStoreFailed for a server that does not answer. No message ever holds the string.
  static Result<std::unique_ptr<PqConnection>> open(const std::filesystem::path& file, Durability durability);
  ~PqConnection();
  PqConnection(const PqConnection&) = delete;
  PqConnection& operator=(const PqConnection&) = delete;

  // One statement. Waits at most a little longer than the server is told to work on it.
  Result<PqRows> run(const std::string& sql, const PqParams& params = {});

  // After an error: the same on a new connection may succeed (the server went away, did not answer, or chose this one of
  // two transactions that waited for each other).
  bool worth_another_try() const { return broken_ || retry_; }
  void forget_errors() { retry_ = false; }
  // Not to be used again.
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
  bool retry_ = false;    // stays, so that what undoes a transaction does not hide why
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
