// Files of a model that change, vanish and are replaced: before, while and after they are hashed.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "engine/weights/weight_files.h"
#include "engine/weights/weight_lock.h"
#include "engine/weights/weight_measurement.h"
#include "engine/weights/weight_watch.h"
#include "evidence/file_tree.h"

namespace cloister::engine {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMiB = 1u << 20;

class WeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cloister_weights_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, std::size_t size, char mark = 'w') const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << std::string(size, mark);
    return path;
  }
  static std::shared_ptr<const WeightFiles> open(const fs::path& path) {
    auto files = WeightFiles::open_all(path);
    EXPECT_TRUE(files) << files.error().message;
    return *files;
  }
  // File systems record times in steps of some milliseconds; two changes in one step look like one.
  static void let_the_clock_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

  fs::path folder_;
};

Error change_of(const WeightFiles& files) {
  const Result<void> unchanged = files.check_unchanged();
  EXPECT_FALSE(unchanged) << "the change was not seen";
  return unchanged ? Error{} : unchanged.error();
}

TEST_F(WeightsTest, AMeasurementIsTheDigestOfTheFiles) {
  const fs::path path = write("model.gguf", 3 * kMiB + 1);
  const auto files = open(path);
  WeightMeasurement measurement(files, {});
  ASSERT_TRUE(measurement.wait_locked());
  const auto weights = measurement.wait();
  ASSERT_TRUE(weights) << weights.error().message;
  ASSERT_EQ(weights->files.size(), 1u);
  EXPECT_EQ(weights->files[0].name, "model.gguf");
  EXPECT_EQ(weights->files[0].size, 3 * kMiB + 1);
  EXPECT_EQ(weights->files[0].digest, *evidence::hash_file_tree(files->files()[0]->fd.get(), 3 * kMiB + 1, {}));
  EXPECT_EQ(weights->digest, evidence::weights_digest(weights->files));
  EXPECT_FALSE(weights->locked);
  EXPECT_TRUE(files->check_unchanged());
}

TEST_F(WeightsTest, AFolderIsAllItsFilesInOrder) {
  write("b.safetensors", 5), write("a.safetensors", 6), write("sub/config.json", 7), write(".hidden", 8);
  write(".cache/x", 9);
  fs::create_symlink(folder_ / "a.safetensors", folder_ / "link");
  const auto files = open(folder_);
  std::vector<std::string> names;
  for (const auto& file : files->files()) names.push_back(file->name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.safetensors", "b.safetensors", "link", "sub/config.json"}));
  EXPECT_EQ(files->size_bytes(), 6u + 5 + 6 + 7);
}

TEST_F(WeightsTest, WhatIsNotThereOrNoFileIsAnError) {
  EXPECT_EQ(WeightFiles::open_all(folder_ / "missing").error().code, ErrorCode::kModelFile);
  EXPECT_FALSE(WeightFiles::open_all(folder_)) << "an empty folder";
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(WeightFiles::open_all(folder_)) << "a pipe would never end";
}

TEST_F(WeightsTest, PartsOfASplitModel) {
  const fs::path first = write("m-00001-of-00003.gguf", 1);
  write("m-00002-of-00003.gguf", 1);
  const auto parts = gguf_parts(first, 3);
  ASSERT_TRUE(parts);
  EXPECT_EQ((*parts)[2], folder_ / "m-00003-of-00003.gguf");
  const auto opened = WeightFiles::open(*parts, {"1", "2", "3"});
  ASSERT_FALSE(opened) << "a part is missing";
  EXPECT_NE(opened.error().message.find("m-00003-of-00003.gguf"), std::string::npos);
  EXPECT_NE(opened.error().message.find("no such file"), std::string::npos);
  EXPECT_FALSE(gguf_parts(folder_ / "m-00002-of-00003.gguf", 3)) << "not the first";
  EXPECT_FALSE(gguf_parts(first, 4)) << "the name says another number";
  EXPECT_EQ(gguf_parts(folder_ / "any.gguf", 1)->size(), 1u);
}

TEST_F(WeightsTest, AWriteIsSeen) {
  const fs::path path = write("model.gguf", kMiB);
  const auto files = open(path);
  let_the_clock_tick();
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('x');
  EXPECT_NE(change_of(*files).message.find("written"), std::string::npos);
}

// Anybody who may write can set back the times of the content, but not the time of the inode.
TEST_F(WeightsTest, AWriteWithItsTimeSetBackIsSeen) {
  const fs::path path = write("model.gguf", kMiB);
  const auto files = open(path);
  const auto time = fs::last_write_time(path);
  let_the_clock_tick();
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(1000).put('x');
  fs::last_write_time(path, time);
  change_of(*files);
}

TEST_F(WeightsTest, ATruncationIsSeen) {
  const fs::path path = write("model.gguf", kMiB);
  const auto files = open(path);
  fs::resize_file(path, kMiB - 1);
  EXPECT_NE(change_of(*files).message.find("size"), std::string::npos);
}

TEST_F(WeightsTest, AReplacementByRenameIsSeenAndTheWayBackToo) {
  const fs::path path = write("model.gguf", kMiB), other = write("other.gguf", kMiB, 'v'), away = folder_ / "away.gguf";
  const auto files = open(path);
  let_the_clock_tick();
  fs::rename(path, away);
  EXPECT_NE(change_of(*files).message.find("gone"), std::string::npos);
  fs::rename(other, path);
  EXPECT_NE(change_of(*files).message.find("another file"), std::string::npos);
  fs::rename(path, other);
  fs::rename(away, path);
  change_of(*files);
}

TEST_F(WeightsTest, AFileThatChangesWhileItIsHashedGetsNoDigest) {
  const fs::path path = write("model.gguf", 64 * kMiB);
  for (const bool truncate : {false, true}) {
    const auto files = open(path);
    let_the_clock_tick();
    WeightMeasurement measurement(files, {.threads = 1});
    if (truncate) {
      fs::resize_file(path, 5);
    } else {
      std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(3).put('x');
    }
    const auto weights = measurement.wait();
    ASSERT_FALSE(weights) << truncate;
    EXPECT_EQ(weights.error().code, ErrorCode::kModelFile);
    EXPECT_NE(weights.error().message.find("model.gguf"), std::string::npos);
  }
}

TEST_F(WeightsTest, TheWatchTellsOnceWhatHasChanged) {
  const fs::path path = write("model.gguf", kMiB);
  const auto files = open(path);
  std::promise<Error> told;
  const WeightWatch watch(files, std::chrono::milliseconds(5), [&](const Error& error) { told.set_value(error); });
  std::future<Error> error = told.get_future();
  EXPECT_EQ(error.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout) << "nothing has changed yet";
  fs::resize_file(path, 1);
  ASSERT_EQ(error.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_NE(error.get().message.find("size"), std::string::npos);
}

// Limits locked memory as long as the object lives. A process without privileges cannot exceed the limit; root may.
class Limited {
 public:
  explicit Limited(rlim_t bytes) {
    ::getrlimit(RLIMIT_MEMLOCK, &before_);
    rlimit limit{std::min(bytes, before_.rlim_max), before_.rlim_max};
    ::setrlimit(RLIMIT_MEMLOCK, &limit);
  }
  ~Limited() { ::setrlimit(RLIMIT_MEMLOCK, &before_); }

 private:
  rlimit before_{};
};

TEST_F(WeightsTest, LockedWhereTheSystemAllowsIt) {
  const fs::path path = write("model.gguf", 3 * kMiB + 5);
  const auto files = open(path);
  const Limited limited(kMiB);
  WeightMeasurement willing(files, {.lock = LockMode::kAuto});
  ASSERT_TRUE(willing.wait_locked());
  const auto weights = willing.wait();
  ASSERT_TRUE(weights) << weights.error().message;
  WeightMeasurement insisting(files, {.lock = LockMode::kOn});
  // Both ask the system for the same, so one succeeds exactly where the other could lock.
  EXPECT_EQ(insisting.wait_locked().has_value(), weights->locked);
  const auto insisted = insisting.wait();
  EXPECT_EQ(insisted.has_value(), weights->locked);
  if (insisted) {
    EXPECT_EQ(*insisted, *weights);
  }
  WeightMeasurement plain(files, {});
  EXPECT_EQ(plain.wait()->digest, weights->digest);
}

TEST_F(WeightsTest, StopsWhenItIsTold) {
  const fs::path path = write("model.gguf", 64 * kMiB);
  WeightMeasurement measurement(open(path), {.threads = 1});
  measurement.stop();
  EXPECT_FALSE(measurement.wait_locked());
  const auto weights = measurement.wait();
  if (!weights) {
    EXPECT_EQ(weights.error().code, ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace cloister::engine
