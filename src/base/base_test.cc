// Small parts of base that share a test file: time, files, errors, the worker pool.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <set>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/result_testing.h"
#include "base/worker_pool.h"

namespace cloister {
namespace {

TEST(Rfc3339, RoundTripAndRefusals) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(*from_rfc3339("2026-11-22T21:31:00Z"), 1795383060);
  EXPECT_EQ(to_rfc3339(1795383060), "2026-11-22T21:31:00Z");
  for (const char* bad : {"", "2026-11-22", "2026-11-22T21:31:00", "2026-11-22T21:31:00Zx", "yesterday"}) {
    EXPECT_REFUSED(from_rfc3339(bad), "expected a UTC time like 2026-11-22T21:31:00Z") << bad;
  }
}

TEST(Files, WriteReplaceReadAndBounds) {
  std::filesystem::path folder = ::testing::TempDir() + "cloister_files." + std::to_string(::getpid());
  ASSERT_TRUE(ensure_private_folder(folder));
  ASSERT_TRUE(ensure_private_folder(folder));
  EXPECT_EQ(std::filesystem::status(folder).permissions(), std::filesystem::perms::owner_all);
  ASSERT_TRUE(write_file_atomically(folder / "f", "one", 0600));
  ASSERT_TRUE(write_file_atomically(folder / "f", "two", 0600));
  EXPECT_EQ(*read_file(folder / "f", 3), "two");
  EXPECT_EQ(read_file(folder / "f", 2).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(read_file(folder / "g", 9).error().code, ErrorCode::kIo);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
}

TEST(Files, AWrittenFileGoesThroughNoNameThatSomebodyPutThere) {
  const std::filesystem::path folder = ::testing::TempDir() + "cloister_names." + std::to_string(::getpid());
  ASSERT_TRUE(ensure_private_folder(folder));
  ASSERT_TRUE(write_file_atomically(folder / "victim", "mine", 0600));
  // The name that a process id makes predictable, and the name itself.
  std::filesystem::create_symlink(folder / "victim", folder / ("f.new." + std::to_string(::getpid())));
  std::filesystem::create_symlink(folder / "victim", folder / "f");
  ASSERT_TRUE(write_file_atomically(folder / "f", "other", 0600));
  EXPECT_EQ(*read_file(folder / "victim", 9), "mine");
  EXPECT_EQ(*read_file(folder / "f", 9), "other");
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "f"));
  // A failed write leaves nothing behind.
  std::filesystem::create_directory(folder / "taken");
  EXPECT_FALSE(write_file_atomically(folder / "taken", "x", 0600));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 4);
  std::filesystem::remove_all(folder);
}

TEST(Files, APrivateFolderIsPrivateFromItsRootOn) {
  const std::filesystem::path folder = ::testing::TempDir() + "cloister_folder." + std::to_string(::getpid());
  ASSERT_TRUE(ensure_private_folder(folder / "a" / "b"));
  for (const std::filesystem::path& one : {folder, folder / "a", folder / "a" / "b"}) {
    EXPECT_EQ(std::filesystem::status(one).permissions(), std::filesystem::perms::owner_all) << one;
  }
  std::filesystem::remove_all(folder);
}

TEST(Errors, IdsAreUniqueAndStatusesAreHttp) {
  std::set<std::string_view> ids;
  for (int i = 0; i <= static_cast<int>(ErrorCode::kGpuNotAttested); ++i) {
    auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(ids.insert(error_id(code)).second) << error_id(code);
    EXPECT_GE(error_http_status(code), 400);
    EXPECT_LT(error_http_status(code), 600);
  }
}

TEST(Log, ALineIsOneObjectWhateverItHolds) {
  EXPECT_EQ(log::json_line(log::Level::kWarn, "a \"b\"\n\x1b[31m", "2026-11-22T21:31:00.000Z"),
            R"({"time":"2026-11-22T21:31:00.000Z","level":"warn","message":"a \"b\"\n\u001b[31m"})");
  EXPECT_EQ(log::json_line(log::Level::kInfo, "\xff", "t"), R"({"time":"t","level":"info","message":"\ufffd"})");
}

TEST(WorkerPool, RunsJobsAndRefusesBeyondTheBound) {
  WorkerPool pool(1, 1);
  std::promise<void> started, open;
  std::shared_future<void> gate = open.get_future().share();
  ASSERT_TRUE(pool.submit([&, gate] {
    started.set_value();
    gate.wait();
  }));
  started.get_future().wait();
  std::promise<void> second;
  ASSERT_TRUE(pool.submit([&] { second.set_value(); }));
  EXPECT_FALSE(pool.submit([] {}));
  open.set_value();
  second.get_future().wait();
}

}  // namespace
}  // namespace cloister
