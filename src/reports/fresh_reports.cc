#include "reports/fresh_reports.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace cloister::reports {
namespace {

constexpr int kLongestRetrySeconds = 60;

}  // namespace

FreshReports::FreshReports(const ReportLimits& limits, ReportJobs& jobs, EvidenceMetrics* metrics, Make make,
                           std::function<Time()> now)
    : jobs_(jobs),
      metrics_(metrics),
      make_(std::move(make)),
      now_(std::move(now)),
      queue_(limits.queue),
      rates_(limits.per_client_per_minute, limits.per_client_burst, limits.most_clients),
      local_rate_(limits.local_per_minute, std::max(1.0, limits.local_per_minute), 1) {}

int FreshReports::wait_s(const std::string& client) {
  return (client.empty() ? local_rate_ : rates_).take(client, now_());
}

void FreshReports::add(const ReportQuery& query, ReportDone done) {
  std::unique_lock lock(mutex_);
  if (const int seconds = wait_s(query.client); seconds > 0) {
    lock.unlock();
    return refuse(ReportRefusal::kClientRate, seconds, done);
  }
  std::optional<Waiting> dropped = queue_.push(query.client, {query, std::move(done)});
  const int retry_s = drain_time_s();
  const bool start = !making_ && queue_.size() > 0;
  if (start) making_ = true;
  lock.unlock();
  if (dropped) refuse(ReportRefusal::kQueueFull, retry_s, dropped->done);
  if (start) post_next();
}

void FreshReports::refuse(ReportRefusal reason, int retry_after_s, const ReportDone& done) {
  if (metrics_ != nullptr) metrics_->count_refusal(reason);
  Error error =
      reason == ReportRefusal::kQueueFull
          ? fail(ErrorCode::kBusy, "too many reports are being made; try again")
          : fail(ErrorCode::kRateLimited, "you ask for reports with a nonce more often than this node makes them "
                                          "for one client; without a nonce there is no limit");
  error.retry_after_s = retry_after_s;
  done(std::move(error));
}

int FreshReports::drain_time_s() const {
  const double all_s = std::ceil(static_cast<double>(queue_.size()) * made_in_s_);
  return static_cast<int>(std::clamp(all_s, 1.0, static_cast<double>(kLongestRetrySeconds)));
}

void FreshReports::post_next() {
  if (jobs_.post([this] { make_next(); })) return;
  std::vector<Waiting> left;
  {
    const std::lock_guard lock(mutex_);
    making_ = false;
    while (std::optional<Waiting> next = queue_.pop()) left.push_back(std::move(*next));
  }
  for (const Waiting& each : left) refuse(ReportRefusal::kQueueFull, 1, each.done);
}

// Makes one report in each job, so that a report for callers without a nonce waits for one at most.
void FreshReports::make_next() {
  std::optional<Waiting> next;
  {
    const std::lock_guard lock(mutex_);
    next = queue_.pop();
    if (!next) {
      making_ = false;
      return;
    }
  }
  const Time begun = now_();
  next->done(make_(next->query));
  const double took_s = std::chrono::duration<double>(now_() - begun).count();
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    made_in_s_ = made_in_s_ == 0 ? took_s : 0.8 * made_in_s_ + 0.2 * took_s;
    more = queue_.size() > 0;
    if (!more) making_ = false;
  }
  if (more) post_next();
}

std::size_t FreshReports::waiting() {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace cloister::reports
