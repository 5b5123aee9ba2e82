// What can happen to an open store: locks, no space, and the end of the process at any moment.
#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "store/sqlite/sqlite_store_testing.h"

namespace cloister::store {
namespace {

using namespace testing;

// --- others, and no space ---------------------------------------------------------------------------------------------

TEST_F(SqliteStoreTest, WaitsForALockButNotForever) {
  const auto store = open();
  ASSERT_TRUE(store->put(records(0, 10)));
  const auto other = beside();
  ASSERT_TRUE(other->run("BEGIN IMMEDIATE"));
  const auto begun = std::chrono::steady_clock::now();
  const auto refused = store->put(records(10, 10));
  const auto took = std::chrono::steady_clock::now() - begun;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStoreFailed);
  EXPECT_NE(refused.error().message.find("locked"), std::string::npos);
  EXPECT_GT(took, std::chrono::seconds(1));
  EXPECT_LT(took, std::chrono::seconds(10));
  EXPECT_EQ(all_of(*store).size(), 10u) << "who reads does not wait";
  // Given up while somebody waits.
  std::thread writer([&] { EXPECT_TRUE(store->put(records(10, 10))); });
  ASSERT_TRUE(other->run("ROLLBACK"));
  writer.join();
  EXPECT_EQ(all_of(*store).size(), 20u);
}

TEST_F(SqliteStoreTest, ManyProcessesMakeItAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = place_.open(options_);
      ::_exit(store && (*store)->put(records(100 * i, 20)) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(all_of(*open()).size(), 120u);
}

TEST_F(SqliteStoreTest, AFullDiskRefusesAndRecovers) {
  ASSERT_TRUE(open()->put(records(0, 100)));
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              auto store = place_.open(options_);
              if (!store) return 1;
              const rlimit before = [] {
                rlimit out{};
                ::getrlimit(RLIMIT_FSIZE, &out);
                return out;
              }();
              const rlimit tight{300'000, before.rlim_max};
              ::setrlimit(RLIMIT_FSIZE, &tight);
              int stored = 100, refused = 0;
              for (int i = 0; i < 200; ++i) {
                const auto put = (*store)->put(records(1000 + 10 * i, 10));
                if (put)
                  stored += 10;
                else if (put.error().code != ErrorCode::kStoreFailed)
                  return 2;
                else
                  ++refused;
              }
              if (refused == 0) return 3;
              // The former content is there, and is found.
              if (all_of(**store).size() != static_cast<std::size_t>(stored)) return 4;
              if (*(*store)->find("chatcmpl-7", testing::owner(1)) != record(7)) return 5;
              ::setrlimit(RLIMIT_FSIZE, &before);
              if (!(*store)->put(records(100'000, 10))) return 6;
              return all_of(**store).size() == static_cast<std::size_t>(stored) + 10 ? 0 : 7;
            }),
            0);
  EXPECT_GT(all_of(*open()).size(), 100u);
}

TEST_F(SqliteStoreTest, StaysWithinItsSpaceOnDisk) {
  options_.limits.bytes = 4u << 20;
  const auto store = open();
  std::uintmax_t largest = 0, largest_log = 0;
  for (int i = 0; i < 60; ++i) {
    std::vector<ReceiptRecord> batch;
    for (int j = 0; j < 256; ++j) batch.push_back(record(1000 * i + j, 1500));
    ASSERT_TRUE(store->put(batch));
    ASSERT_TRUE(store->prune());
    largest = std::max(largest, fs::file_size(file()));
    largest_log = std::max(largest_log, fs::file_size(with("-wal")));
  }
  // 23 MiB went through the log.
  EXPECT_LT(largest, (4u << 20) * 3 / 2);
  EXPECT_LT(largest_log, 48u << 20);
  EXPECT_GT(store->state()->bytes, 3u << 20);
}

TEST_F(SqliteStoreTest, GivesSpaceBack) {
  {
    const auto store = open();
    for (int i = 0; i < 20; ++i) {
      std::vector<ReceiptRecord> batch;
      for (int j = 0; j < 64; ++j) batch.push_back(record(1000 * i + j, 20'000));
      ASSERT_TRUE(store->put(batch));
    }
  }
  const std::uintmax_t before = fs::file_size(file());
  ASSERT_GT(before, 24u << 20);
  options_.limits.bytes = 1u << 20;
  ASSERT_TRUE(open()->prune());
  EXPECT_LT(fs::file_size(file()), 20u << 20);
  EXPECT_GT(all_of(*open()).size(), 30u);
}

TEST_F(SqliteStoreTest, PruningLetsWritersIn) {
  {
    const auto store = open();
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(store->put(records(1000 * i, 500)));
  }
  options_.limits.bytes = 100'000;
  const auto store = open();
  std::atomic<bool> pruned = false;
  std::thread pruner([&] {
    EXPECT_GT(store->prune().value_or(0), 15'000u);
    pruned = true;
  });
  int during = 0;
  auto slowest = std::chrono::steady_clock::duration::zero();
  for (int i = 0; !pruned; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    ASSERT_TRUE(store->put(std::vector{record(100'000 + i)}));
    slowest = std::max(slowest, std::chrono::steady_clock::now() - begun);
    ++during;
  }
  pruner.join();
  EXPECT_GT(during, 20) << "20,000 receipts in steps of 128";
  EXPECT_LT(slowest, std::chrono::milliseconds(500));
}

// --- the end of the process -------------------------------------------------------------------------------------------

// Puts batch after batch and reports each on the pipe, until it is killed.
[[noreturn]] void write_until_killed(const StoreOptions& options, int out, int first) {
  auto store = open_store(options);
  if (!store) ::_exit(1);
  for (int batch = first;; ++batch) {
    auto some = records(batch * 100, 1 + batch % 9);
    if (!(*store)->put(some)) ::_exit(2);
    if (::write(out, &batch, sizeof batch) != sizeof batch) ::_exit(3);
    if (batch % 16 == 0 && !(*store)->prune()) ::_exit(4);
  }
}

TEST_F(SqliteStoreTest, EveryStoredReceiptSurvivesAKill) {
  options_.sqlite_file = file();
  options_.keys = testing::keys();
  int first = 0, promised = -1;
  for (int round = 0; round < 25; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(options_, pipe[1], first);
    ::close(pipe[1]);
    // At least one batch, then a moment more: the kill never comes at the same place.
    int batch = 0, said = 0;
    const int wanted = 1 + round * 7 % 40;
    while (said < wanted && ::read(pipe[0], &batch, sizeof batch) == sizeof batch) promised = batch, ++said;
    std::this_thread::sleep_for(std::chrono::microseconds(round * 173 % 2000));
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &batch, sizeof batch) == sizeof batch) promised = batch;
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
    ASSERT_GE(promised, first) << "round " << round;

    const auto store = open();
    std::vector<ReceiptRecord> expected;
    for (int b = 0; b <= promised; ++b) {
      const auto some = records(b * 100, 1 + b % 9);
      expected.insert(expected.end(), some.begin(), some.end());
    }
    auto found = all_of(*store);
    // The batch that was being written when the process was killed: it is whole, or not there at all.
    const std::size_t more = found.size() - expected.size();
    ASSERT_TRUE(more == 0 || more == static_cast<std::size_t>(1 + (promised + 1) % 9)) << more;
    if (more > 0) ++promised;
    found.resize(expected.size());
    ASSERT_EQ(found, expected);
    ASSERT_EQ(store->state()->receipts, expected.size() + more);
    ASSERT_EQ(*store->find(expected.back().reply_ids[0], expected.back().owner), expected.back());
    first = promised + 1;
  }
  EXPECT_GT(promised, 300);
}

}  // namespace
}  // namespace cloister::store
