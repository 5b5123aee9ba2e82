// For tests: Debian's PostgreSQL on a Unix socket in a folder of its own. It never runs as root, which the server
// refuses, but as `postgres` or `nobody` then. It is started when first needed and ends with the test program.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <string>

#include "store/store_testing.h"

namespace cloister::store::testing {

class PostgresServer {
 public:
  // The server of this test program; created and started at the first call.
  static PostgresServer& instance();
  // The folder of the server's programs; empty when it is not installed.
  static std::filesystem::path programs();

  // Ends it as an administrator would, or at once as a crash; both wait until it has ended.
  void stop();
  void crash();
  // Starts it after either.
  void start();
  // Returns psql's output; fails the test when psql fails.
  std::string sql(const std::string& text) const;
  // A connection string for libpq.
  std::string connection() const { return "host=" + socket_folder() + " user=cloister dbname=postgres"; }

  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

 private:
  PostgresServer();
  // In memory where there is room, because what the tests show does not depend on the disk, but their duration does.
  static std::filesystem::path roomy_folder();
  std::string socket_folder() const { return folder_.path() / "socket"; }
  pid_t run_as_user(const std::vector<std::string>& command) const;
  void end(int signal);

  TemporaryFolder folder_{roomy_folder()};
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = -1;
};

// A schema for one test.
class PostgresPlace : public StorePlace {
 public:
  PostgresPlace();
  ~PostgresPlace() override;
  void name_in(StoreOptions& options) const override { options.postgres_file = file(); }
  std::filesystem::path file() const { return folder_.path() / "postgres"; }
  const std::string& schema() const { return schema_; }
  std::string connection() const;

 private:
  TemporaryFolder folder_;
  std::string schema_;
};

}  // namespace cloister::store::testing

// The first statement of a test that needs the server: the test is skipped without one, except where CI=true forbids skipping.
#define CLOISTER_NEED_POSTGRES()                                                                  \
  if (::cloister::store::testing::PostgresServer::programs().empty()) {                           \
    const char* ci = std::getenv("CI");                                                           \
    if (ci != nullptr && std::string_view(ci) == "true") FAIL() << "PostgreSQL is not installed"; \
    GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql-15)";        \
  }                                                                                               \
  static_assert(true, "take a semicolon")
