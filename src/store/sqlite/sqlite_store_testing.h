// For tests only: a store in a file, and other programs that access the file.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/file.h"
#include "db/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store_testing.h"

namespace cloister::store::testing {

namespace fs = std::filesystem;

inline constexpr std::size_t kFileLimit = 1u << 30;

class SqliteStoreTest : public ::testing::Test {
 protected:
  SqliteStoreTest() { options_.clock = &clock_; }

  std::unique_ptr<ReceiptStore> open() {
    auto opened = place_.open(options_);
    EXPECT_TRUE(opened) << opened.error().to_string();
    return opened ? *std::move(opened) : nullptr;
  }
  Error refusal() {
    const auto opened = place_.open(options_);
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  std::string bytes() const { return read_file(file(), kFileLimit).value_or("unreadable"); }
  void write(const std::string& content) {
    fs::create_directories(file().parent_path());
    ASSERT_TRUE(write_file_atomically(file(), content, 0600));
  }
  // Another program's connection to it.
  std::unique_ptr<db::sqlite::Connection> beside() const {
    return *db::sqlite::Connection::open(file(), file(), "receipt store", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                         0);
  }
  fs::path file() const { return place_.file(); }
  fs::path with(const char* suffix) const { return file().string() + suffix; }

  FakeClock clock_{kStart};
  StoreOptions options_;
  SqlitePlace place_;
};

// Runs `work` in a child process; returns its exit status, or 128 and the signal.
template <typename Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline unsigned mode_of(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()) & 0777; }

}  // namespace cloister::store::testing
