#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "tee/simulator/simulator.h"

namespace cloister::tee {
namespace {

namespace fs = std::filesystem;

class Seed : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "cloister_seed_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path path() const { return folder_ / "seed"; }
  fs::path folder_;
};

std::string hex(const Result<SecretBytes>& seed) { return seed ? to_hex(seed->expose()) : seed.error().message; }

TEST_F(Seed, IsMadeOnceAndReadAgain) {
  const auto first = load_or_create_simulator_seed(path());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->size(), 32u);
  EXPECT_EQ(hex(load_or_create_simulator_seed(path())), hex(first));
  EXPECT_EQ(*read_file(path(), 100), hex(first) + "\n");
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a temporary file was left behind";
}

TEST_F(Seed, IsNotMadeByWhoOnlyLoadsIt) {
  const auto missing = load_simulator_seed(path());
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find(path().string()), std::string::npos) << missing.error().message;
  EXPECT_FALSE(fs::exists(path()));
  const auto made = load_or_create_simulator_seed(path());
  EXPECT_EQ(hex(load_simulator_seed(path())), hex(made));
}

TEST_F(Seed, DiffersFromFolderToFolder) {
  EXPECT_NE(hex(load_or_create_simulator_seed(path())), hex(load_or_create_simulator_seed(folder_ / "other")));
}

TEST_F(Seed, AGivenFileIsTaken) {
  const std::string given(64, 'a');
  for (const std::string& text : {given, given + "\n"}) {
    ASSERT_TRUE(write_file_atomically(path(), text, 0600));
    EXPECT_EQ(hex(load_or_create_simulator_seed(path())), given);
  }
}

TEST_F(Seed, ACorruptFileIsAnErrorThatNamesItAndStays) {
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g'),
                                  std::string(64, 'a') + "\n\n", std::string(5000, 'a')}) {
    ASSERT_TRUE(write_file_atomically(path(), text, 0600));
    const auto seed = load_or_create_simulator_seed(path());
    ASSERT_FALSE(seed);
    EXPECT_NE(seed.error().message.find(path().string()), std::string::npos) << seed.error().message;
    EXPECT_EQ(*read_file(path(), 10000), text);
  }
}

TEST_F(Seed, AMissingFolderIsAnErrorThatNamesIt) {
  const fs::path missing = folder_ / "no" / "seed";
  const auto seed = load_or_create_simulator_seed(missing);
  ASSERT_FALSE(seed);
  EXPECT_NE(seed.error().message.find(missing.string()), std::string::npos) << seed.error().message;
}

TEST_F(Seed, AFolderOrADanglingLinkInItsPlaceIsAnError) {
  fs::create_directory(path());
  EXPECT_FALSE(load_or_create_simulator_seed(path()));
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  EXPECT_FALSE(load_or_create_simulator_seed(folder_ / "link"));
}

TEST_F(Seed, ThreadsThatRaceGetTheSame) {
  std::vector<std::string> seeds(8);
  std::vector<std::thread> threads;
  for (std::string& seed : seeds) {
    threads.emplace_back([&] { seed = hex(load_or_create_simulator_seed(path())); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(seeds.begin(), seeds.end()).size(), 1u) << seeds[0];
  EXPECT_EQ(seeds[0].size(), 64u);
}

TEST_F(Seed, ProcessesThatRaceGetTheSame) {
  constexpr int kProcesses = 6;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto seed = load_or_create_simulator_seed(path());
      const bool written = write_file_atomically(folder_ / ("got" + std::to_string(i)), hex(seed), 0600).has_value();
      ::_exit(seed && written ? 0 : 1);
    }
    children.push_back(child);
  }
  std::set<std::string> seeds;
  for (int i = 0; i < kProcesses; ++i) {
    int status = 0;
    ASSERT_EQ(::waitpid(children[i], &status, 0), children[i]);
    EXPECT_EQ(status, 0);
    seeds.insert(read_file(folder_ / ("got" + std::to_string(i)), 100).value_or("none"));
  }
  EXPECT_EQ(seeds.size(), 1u);
  EXPECT_EQ(*seeds.begin(), hex(load_or_create_simulator_seed(path())));
}

}  // namespace
}  // namespace cloister::tee
