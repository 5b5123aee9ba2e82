#include "collateral/downloader.h"

#include "base/file.h"
#include "collateral/collateral_test_util.h"

namespace cloister::collateral {
namespace {

constexpr UnixSeconds kNow = 1'750'000'000;

class DownloaderTest : public testing::ReplayTest {
 protected:
  Download thing(std::int64_t max_age_s = 0) {
    Download out;
    out.request.url = base() + "/thing";
    out.what = "a thing";
    out.on_404 = "nobody knows it";
    out.on_410 = "it is no more";
    out.max_age_s = max_age_s;
    out.keep_headers = {"x-kept"};
    return out;
  }
  // Each download gets a Downloader of its own, as each collection does.
  Result<void> get(const Download& download, bool with_cache = true) {
    Downloader downloader(offline_ ? nullptr : fetcher_.get(), with_cache ? cache_.get() : nullptr, clock_, options_,
                          [this](const FetchNote& note) { notes_.push_back(to_text(note)); });
    return downloader.get(download, [this](const FetchResponse& response) -> Result<UnixSeconds> {
      if (response.body == "bad") return fail(ErrorCode::kNoCollateral, "not what was asked for");
      body_ = response.body;
      headers_ = response.headers;
      return valid_until_;
    });
  }

  testing::TemporaryFolder folder_;
  FakeClock clock_{kNow};
  std::unique_ptr<Fetcher> fetcher_ = make_http_fetcher({});
  std::unique_ptr<DiskCache> cache_ = *DiskCache::open(folder_.path());
  DownloadOptions options_ = testing::quick_download();
  bool offline_ = false;
  UnixSeconds valid_until_ = kNow + 1000;
  std::string body_;
  http::Headers headers_;
  std::vector<std::string> notes_;
};

TEST_F(DownloaderTest, FetchesAndSaysSo) {
  on("/thing", 200, "one");
  ASSERT_TRUE(get(thing()));
  EXPECT_EQ(body_, "one");
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_TRUE(notes_[0].starts_with("fetched a thing (3 bytes, ")) << notes_[0];
  EXPECT_TRUE(notes_[0].ends_with(" from " + base() + "/thing")) << notes_[0];
}

TEST_F(DownloaderTest, TriesAgainWhatMayPass) {
  on("/thing", 500, "");
  on("/thing", 503, "");
  on("/thing", 200, "at last");
  ASSERT_TRUE(get(thing()));
  EXPECT_EQ(body_, "at last");
  EXPECT_EQ(asked(), 3);
  ASSERT_EQ(notes_.size(), 3u);
  EXPECT_EQ(notes_[0], "trying again: a thing: " + base() + "/thing answered 500");
}

TEST_F(DownloaderTest, GivesUpAfterItsAttempts) {
  on("/thing", 502, "");
  const auto got = get(thing());
  ASSERT_FALSE(got);
  EXPECT_EQ(asked(), 3);
  EXPECT_EQ(got.error().message, "a thing: " + base() + "/thing answered 502");
  EXPECT_EQ(got.error().param, base() + "/thing");
  EXPECT_TRUE(notes_.back().starts_with("missing a thing: ")) << notes_.back();
}

TEST_F(DownloaderTest, ExplainsWhatIsNotThereAndAsksOnce) {
  EXPECT_EQ(get(thing()).error().message, "a thing: " + base() + "/thing answered 404: nobody knows it");
  EXPECT_EQ(asked(), 1);
  on("/thing", 410, "");
  EXPECT_EQ(get(thing()).error().message, "a thing: " + base() + "/thing answered 410: it is no more");
  forget("/thing");
  on("/thing", 401, "");
  EXPECT_NE(get(thing()).error().message.find("service key"), std::string::npos);
  EXPECT_EQ(asked(), 3);
}

TEST_F(DownloaderTest, TakesNoAnswerThatItsReaderRefuses) {
  on("/thing", 200, "bad");
  const auto got = get(thing(100));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "a thing: " + base() + "/thing: not what was asked for");
  EXPECT_EQ(asked(), 1);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(DownloaderTest, TriesAgainAfterATimeOut) {
  hang_on("/thing");
  options_.request_timeout_ms = 50;
  EXPECT_EQ(get(thing()).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(asked(), 3);
}

TEST_F(DownloaderTest, EndsAtTheDeadline) {
  hang_on("/thing");
  options_.deadline_ms = 100;
  options_.attempts = 1000;
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_FALSE(get(thing()));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  // A wait that is longer than the remaining time is not started.
  forget("/thing");
  on("/other", 429, "", {{"Retry-After", "3600"}});
  Download other = thing();
  other.request.url = base() + "/other";
  options_.deadline_ms = 10'000;
  ASSERT_FALSE(get(other));
  EXPECT_EQ(asked("/other"), 1);
}

TEST_F(DownloaderTest, RemembersUntilTheAgeItIsGiven) {
  on("/thing", 200, "one", {{"X-Kept", "k"}, {"X-Dropped", "d"}});
  ASSERT_TRUE(get(thing(100)));
  clock_.advance(99);
  body_.clear();
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(body_, "one");
  EXPECT_EQ(headers_, (http::Headers{{"x-kept", "k"}}));
  EXPECT_EQ(asked(), 1);
  EXPECT_TRUE(notes_.back().starts_with("cached a thing")) << notes_.back();
  clock_.advance(1);
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 2);
  ASSERT_TRUE(get(thing(0)));
  EXPECT_EQ(asked(), 3);
}

TEST_F(DownloaderTest, RemembersNoLongerThanItIsValid) {
  on("/thing", 200, "one");
  valid_until_ = kNow + 10;
  ASSERT_TRUE(get(thing(100)));
  clock_.advance(10);
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 2);
  // An entry from the future was written with a wrong clock.
  valid_until_ = kNow + 1000;
  ASSERT_TRUE(get(thing(100)));
  clock_.set(kNow - 5);
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 4);
}

TEST_F(DownloaderTest, UsesAnOldValidAnswerWhenTheServiceIsGone) {
  on("/thing", 200, "one");
  ASSERT_TRUE(get(thing(100)));
  forget("/thing");
  on("/thing", 503, "");
  clock_.advance(500);
  body_.clear();
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(body_, "one");
  EXPECT_TRUE(notes_.back().starts_with("cached, service unavailable: a thing: ")) << notes_.back();
  clock_.advance(500);
  EXPECT_FALSE(get(thing(100)));
}

TEST_F(DownloaderTest, FetchesAnewWhatIsDamaged) {
  on("/thing", 200, "one");
  ASSERT_TRUE(get(thing(100)));
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    ASSERT_TRUE(write_file_atomically(file.path(), "garbage", 0600));
  }
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 2);
  ASSERT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 2);
}

TEST_F(DownloaderTest, AsksNobodyWhenOffline) {
  on("/thing", 200, "one");
  offline_ = true;
  const auto got = get(thing(100));
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("offline"), std::string::npos) << got.error().message;
  EXPECT_EQ(asked(), 0);
  offline_ = false;
  ASSERT_TRUE(get(thing(100)));
  offline_ = true;
  clock_.advance(500);  // older than would be accepted online, and still valid
  EXPECT_TRUE(get(thing(100)));
  EXPECT_EQ(asked(), 1);
}

}  // namespace
}  // namespace cloister::collateral
