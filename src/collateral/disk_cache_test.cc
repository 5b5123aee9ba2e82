#include "collateral/disk_cache.h"

#include "base/file.h"
#include "base/result_testing.h"
#include "collateral/collateral_test_util.h"

namespace cloister::collateral {
namespace {

namespace fs = std::filesystem;

CacheEntry sample(const std::string& url = "https://pcs.example/tcb?fmspc=00") {
  CacheEntry entry;
  entry.url = url;
  entry.fetched = 1'700'000'000;
  entry.valid_until = 1'700'086'400;
  entry.response.status = 200;
  entry.response.headers = {{"tcb-info-issuer-chain", "%2D"}};
  entry.response.body = std::string("body\n\0with all kinds of bytes\xff", 30);
  return entry;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& item : fs::directory_iterator(folder)) out.push_back(item.path());
  return out;
}

TEST(CacheEntry, ComesBackAsItWas) {
  const auto again = parse_cache_entry(write_cache_entry(sample()));
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(again->url, sample().url);
  EXPECT_EQ(again->fetched, sample().fetched);
  EXPECT_EQ(again->valid_until, sample().valid_until);
  EXPECT_EQ(again->response.headers, sample().response.headers);
  EXPECT_EQ(again->response.body, sample().response.body);
  EXPECT_EQ(again->response.status, 200);
}

TEST(CacheEntry, RefusesEveryDamage) {
  const std::string whole = write_cache_entry(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_cache_entry(whole.substr(0, size))) << size;
  }
  EXPECT_REFUSED(parse_cache_entry(whole + "x"), "cache entry: the body has another digest");
  std::string changed = whole;
  changed.back() ^= 1;
  EXPECT_REFUSED(parse_cache_entry(changed), "cache entry: the body has another digest");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_REFUSED(parse_cache_entry(replaced("cache.v1", "cache.v2")),
                 "cache entry: expected the form cloister.cache.v1");
  EXPECT_REFUSED(parse_cache_entry(replaced("\"fetched\":1700000000", "\"fetched\":-1")),
                 "cache entry: fetched is no time");
  EXPECT_REFUSED(parse_cache_entry(replaced("\"fetched\":1700000000", "\"fetched\":1e9")),
                 "cache entry: fetched is no time");
  EXPECT_REFUSED(parse_cache_entry(replaced("\"fetched\":1700000000", "\"fetched\":18446744073709551615")),
                 "cache entry: fetched is no time");
  EXPECT_REFUSED(parse_cache_entry(replaced("\"headers\":[[", "\"headers\":[[1,")),
                 "cache entry: headers are no list of pairs");
  EXPECT_REFUSED(parse_cache_entry(replaced("\"url\"", "\"more\":1,\"url\"")), "cache entry: expected six members");
}

TEST(DiskCache, KeepsAndFinds) {
  const testing::TemporaryFolder folder;
  const auto cache = DiskCache::open(folder.path() / "deep" / "er");
  ASSERT_TRUE(cache) << cache.error().to_string();
  EXPECT_FALSE((*cache)->find(sample().url));
  (*cache)->put(sample());
  const auto found = (*cache)->find(sample().url);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->response.body, sample().response.body);
  EXPECT_FALSE((*cache)->find(sample().url + "1"));
  // The name reveals nothing, and nobody else may read what was asked.
  const auto files = files_in(folder.path() / "deep" / "er");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].filename().string().size(), 64 + std::string(".entry").size());
  EXPECT_EQ(fs::status(files[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(DiskCache, IgnoresDamagedAndMisplacedEntries) {
  const testing::TemporaryFolder folder;
  const auto cache = DiskCache::open(folder.path());
  ASSERT_TRUE(cache);
  (*cache)->put(sample());
  const fs::path path = files_in(folder.path()).at(0);
  ASSERT_TRUE(write_file_atomically(path, write_cache_entry(sample("https://other.example/")), 0600));
  EXPECT_FALSE((*cache)->find(sample().url));
  ASSERT_TRUE(write_file_atomically(path, "garbage", 0600));
  EXPECT_FALSE((*cache)->find(sample().url));
  (*cache)->put(sample());
  EXPECT_TRUE((*cache)->find(sample().url));
}

TEST(DiskCache, StaysWithinItsSize) {
  const testing::TemporaryFolder folder;
  const auto cache = DiskCache::open(folder.path(), 10'000);
  ASSERT_TRUE(cache);
  for (int i = 0; i < 20; ++i) {
    CacheEntry entry = sample("https://x.example/" + std::to_string(i));
    entry.response.body = std::string(2000, 'x');
    (*cache)->put(entry);
  }
  std::uintmax_t total = 0;
  for (const fs::path& path : files_in(folder.path())) total += fs::file_size(path);
  EXPECT_LE(total, 10'000u);
  EXPECT_GT(total, 2000u);
  EXPECT_TRUE((*cache)->find("https://x.example/19"));
  // An entry that could never fit is not written at all.
  CacheEntry large = sample("https://x.example/large");
  large.response.body = std::string(20'000, 'x');
  (*cache)->put(large);
  EXPECT_FALSE((*cache)->find(large.url));
}

TEST(DiskCache, SaysThatAFolderCannotBeUsed) {
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.path() / "file", "x", 0600));
  EXPECT_FALSE(DiskCache::open(folder.path() / "file" / "cache"));
}

TEST(DiskCache, LiesWhereXdgSays) {
  ::setenv("XDG_CACHE_HOME", "/somewhere/cache", 1);
  EXPECT_EQ(default_cache_folder(), "/somewhere/cache/cloister");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(default_cache_folder(), "/home/somebody/.cache/cloister");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(default_cache_folder(), "");
}

}  // namespace
}  // namespace cloister::collateral
