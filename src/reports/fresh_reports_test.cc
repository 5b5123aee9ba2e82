#include "reports/fresh_reports.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "metrics/registry.h"

namespace cloister::reports {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What the callers got, in the order in which they got it.
class Answers {
 public:
  ReportDone from(const std::string& client) {
    return [this, client](Result<Report> report) {
      const std::lock_guard lock(mutex_);
      got_.push_back({client, std::move(report)});
      changed_.notify_all();
    };
  }
  struct Answer {
    std::string client;
    Result<Report> report;
  };
  // Waits for this many; gives what there is after 10 s.
  std::vector<Answer> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, seconds(10), [&] { return got_.size() >= count; })) << got_.size();
    return got_;
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return got_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> got_;
};

class FreshReportsTest : public ::testing::Test {
 protected:
  void make(const ReportLimits& limits) {
    fresh_.emplace(
        limits, jobs_, &metrics_,
        [this](const ReportQuery& query) -> Result<Report> {
          begun_.fetch_add(1);
          begun_.notify_all();
          if (gate_.valid()) gate_.wait();
          advance(costs_);
          if (query.nonce == evidence::Nonce{13}) return fail(ErrorCode::kTeeFailed, "no quote");
          return std::make_shared<const std::string>(query.client);
        },
        [this] { return FreshReports::Time(milliseconds(now_ms_)); });
  }
  void TearDown() override {
    if (gate_.valid()) open();
    jobs_.stop();
  }
  void add(const std::string& client, const evidence::Nonce& nonce = {}) {
    ReportQuery query;
    query.client = client;
    query.nonce = nonce;
    fresh_->add(query, answers_.from(client));
  }
  void advance(milliseconds by) { now_ms_ += by.count(); }
  // From now on no report is finished until open().
  void close() {
    opens_ = std::promise<void>();
    gate_ = opens_.get_future().share();
    is_open_ = false;
  }
  void open() {
    if (!std::exchange(is_open_, true)) opens_.set_value();
  }
  // Adds a report and waits until it is being made.
  void occupy(const std::string& client) {
    const int before = begun_;
    add(client);
    begun_.wait(before);
  }
  // Waits until the job that made the last report has ended.
  void wait_until_idle() {
    std::promise<void> idle;
    while (!pool_.submit([&] { idle.set_value(); })) std::this_thread::yield();
    idle.get_future().wait();
  }
  std::string refusals(const std::string& reason) {
    const std::string text = registry_.render(), name = "reason=\"" + reason + "\"} ";
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  }

  metrics::Registry registry_;
  EvidenceMetrics metrics_{registry_};
  std::atomic<std::int64_t> now_ms_{1'000'000};
  milliseconds costs_{0};  // how long a report takes
  std::atomic<int> begun_{0};
  std::promise<void> opens_;
  std::shared_future<void> gate_;
  bool is_open_ = true;
  Answers answers_;
  WorkerPool pool_{1, 4};
  ReportJobs jobs_{pool_};
  std::optional<FreshReports> fresh_;
};

TEST_F(FreshReportsTest, EachCallerGetsAReportOfItsOwn) {
  make({});
  add("a");
  add("b", evidence::Nonce{13});
  add("c");
  const auto got = answers_.wait_for(3);
  ASSERT_EQ(got.size(), 3u);
  for (const Answers::Answer& answer : got) {
    if (answer.client == "b") {
      EXPECT_EQ(answer.report.error().code, ErrorCode::kTeeFailed) << "an error of the maker is passed on";
    } else {
      EXPECT_EQ(**answer.report, answer.client);
    }
  }
  EXPECT_EQ(fresh_->waiting(), 0u);
}

TEST_F(FreshReportsTest, ClientsTakeTurns) {
  make({});
  close();
  occupy("a");
  add("a");
  add("a");
  add("b");
  EXPECT_EQ(fresh_->waiting(), 3u);
  open();
  std::string order;
  for (const Answers::Answer& answer : answers_.wait_for(4)) order += answer.client;
  EXPECT_EQ(order, "abaa") << "b waits for the report that was being made, and for no other of a's";
}

TEST_F(FreshReportsTest, AClientThatAsksTooOftenIsToldWhenToAskAgain) {
  make({.per_client_per_minute = 6, .per_client_burst = 2, .local_per_minute = 6});
  add("a");
  add("a");
  answers_.wait_for(2);
  add("a");
  auto got = answers_.wait_for(3);
  ASSERT_FALSE(got.back().report);
  EXPECT_EQ(got.back().report.error().code, ErrorCode::kRateLimited);
  EXPECT_EQ(got.back().report.error().retry_after_s, 10);
  add("b");
  EXPECT_TRUE(answers_.wait_for(4).back().report) << "the limit is each client's own";
  advance(milliseconds(9'999));
  add("a");
  EXPECT_EQ(answers_.wait_for(5).back().report.error().retry_after_s, 1);
  advance(milliseconds(2));
  add("a");
  EXPECT_TRUE(answers_.wait_for(6).back().report);
  EXPECT_EQ(refusals("client_rate"), "2");
  EXPECT_EQ(begun_, 4) << "what is refused costs no report";
}

TEST_F(FreshReportsTest, CallersOfThisMachineShareALimitOfTheirOwn) {
  make({.per_client_per_minute = 1, .per_client_burst = 1, .local_per_minute = 3});
  for (int i = 0; i < 3; ++i) add("");
  add("");
  const auto got = answers_.wait_for(4);
  int refused = 0;
  for (const Answers::Answer& answer : got) refused += answer.report ? 0 : 1;
  EXPECT_EQ(refused, 1);
  advance(seconds(21));
  add("");
  EXPECT_TRUE(answers_.wait_for(5).back().report);
}

TEST_F(FreshReportsTest, AFullQueueDropsTheNewestOfTheClientWithTheMost) {
  make({.queue = 3});
  close();
  occupy("a");
  add("a");
  add("a");
  add("b");
  add("c");
  auto got = answers_.wait_for(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].client, "a");
  ASSERT_FALSE(got[0].report);
  EXPECT_EQ(got[0].report.error().code, ErrorCode::kBusy);
  add("c");
  got = answers_.wait_for(2);
  EXPECT_EQ(got[1].client, "c") << "an equal share is not taken away";
  EXPECT_EQ(refusals("queue_full"), "2");
  open();
  std::string made;
  for (const Answers::Answer& answer : answers_.wait_for(6)) {
    if (answer.report) made += answer.client;
  }
  EXPECT_EQ(made.size(), 4u);
}

// Three callers wait, and the last report took this long.
TEST_F(FreshReportsTest, ARefusalNamesTheTimeThatTheQueueTakes) {
  const std::pair<milliseconds, int> rows[] = {{milliseconds(0), 1},
                                               {milliseconds(100), 1},
                                               {milliseconds(4'000), 12},
                                               {milliseconds(4'100), 13},
                                               {seconds(50), 60}};
  for (const auto& [costs, retry_s] : rows) {
    make({.queue = 3});
    costs_ = costs;
    const std::size_t before = answers_.count();
    add("first");
    answers_.wait_for(before + 1);
    close();
    occupy("a");
    for (const char* client : {"b", "c", "d", "e"}) add(client);
    const auto got = answers_.wait_for(before + 2);
    ASSERT_FALSE(got[before + 1].report);
    EXPECT_EQ(got[before + 1].report.error().retry_after_s, retry_s) << costs.count();
    open();
    answers_.wait_for(before + 6);
    wait_until_idle();
    gate_ = {};
  }
}

TEST_F(FreshReportsTest, TheTimeOfAReportIsSmoothed) {
  make({.queue = 1});
  costs_ = seconds(10);
  add("a");
  answers_.wait_for(1);
  costs_ = seconds(20);
  add("a");
  answers_.wait_for(2);
  wait_until_idle();
  close();
  occupy("a");
  add("b");
  add("c");
  const auto got = answers_.wait_for(3);
  ASSERT_FALSE(got[2].report);
  EXPECT_EQ(got[2].report.error().retry_after_s, 12);
}

TEST_F(FreshReportsTest, APoolWithoutRoomRefusesAllAndMakesTheNext) {
  make({});
  std::promise<void> leave;
  std::atomic<bool> running = false;
  const auto occupied = leave.get_future().share();
  ASSERT_TRUE(pool_.submit([&] {
    running = true;
    occupied.wait();
  }));
  while (!running) std::this_thread::yield();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pool_.submit([] {}));
  add("a");
  const auto got = answers_.wait_for(1);
  ASSERT_FALSE(got[0].report);
  EXPECT_EQ(got[0].report.error().code, ErrorCode::kBusy);
  EXPECT_EQ(fresh_->waiting(), 0u);
  leave.set_value();
  wait_until_idle();
  add("a");
  EXPECT_TRUE(answers_.wait_for(2).back().report);
}

TEST_F(FreshReportsTest, OtherJobsWaitForOneReportAtMost) {
  make({});
  close();
  occupy("a");
  add("b");
  std::promise<std::size_t> other;
  auto before_other = other.get_future();
  ASSERT_TRUE(jobs_.post([&] { other.set_value(answers_.count()); }));
  open();
  EXPECT_EQ(before_other.get(), 1u);
  EXPECT_EQ(answers_.wait_for(2).size(), 2u);
}

}  // namespace
}  // namespace cloister::reports
