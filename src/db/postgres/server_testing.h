// For tests: Debian's PostgreSQL on a Unix socket in a folder of its own. It never runs as root, which the server
// refuses, but as `postgres` or `nobody` then. It is started when first needed and ends with the test program.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/temporary_folder_testing.h"

namespace cloister::db::postgres::testing {

class Server {
 public:
  // The server of this test program; created and started at the first call.
  static Server& instance();
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

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  Server();
  // In memory where there is room, because what the tests show does not depend on the disk, but their duration does.
  static std::filesystem::path roomy_folder();
  std::string socket_folder() const { return folder_.path() / "socket"; }
  pid_t run_as_user(const std::vector<std::string>& command) const;
  void end(int signal);

  cloister::testing::TemporaryFolder folder_{roomy_folder()};
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = -1;
};

// A schema of the server for one test. Its file holds the connection string.
class TestSchema {
 public:
  TestSchema();
  ~TestSchema();
  TestSchema(const TestSchema&) = delete;
  TestSchema& operator=(const TestSchema&) = delete;
  std::filesystem::path file() const { return folder_.path() / "postgres"; }
  const std::string& name() const { return name_; }
  std::string connection() const;

 private:
  cloister::testing::TemporaryFolder folder_;
  std::string name_;
};

}  // namespace cloister::db::postgres::testing

// The first statement of a test that needs the server: the test is skipped without one, except where CI=true forbids skipping.
#define CLOISTER_NEED_POSTGRES()                                                                  \
  if (::cloister::db::postgres::testing::Server::programs().empty()) {                            \
    const char* ci = std::getenv("CI");                                                           \
    if (ci != nullptr && std::string_view(ci) == "true") FAIL() << "PostgreSQL is not installed"; \
    GTEST_SKIP() << "PostgreSQL is not installed (Debian: apt-get install postgresql-15)";        \
  }                                                                                               \
  static_assert(true, "take a semicolon")
