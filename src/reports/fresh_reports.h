// FreshReports: the queue of callers that bring a nonce. Reports are made one after the other, and the clients take turns.
// A client that asks too often, and all beyond a bounded queue, are refused with the time after which to ask again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/client_rates.h"
#include "base/fair_queue.h"
#include "base/result.h"
#include "reports/evidence_metrics.h"
#include "reports/report_jobs.h"
#include "reports/report_query.h"

namespace cloister::reports {

using Report = std::shared_ptr<const std::string>;  // JSON text
using ReportDone = std::function<void(Result<Report>)>;

struct ReportLimits {
  std::size_t queue = 64;             // callers that may wait
  double per_client_per_minute = 60;  // 0: no limit
  double per_client_burst = 60;
  // The limit for all callers of this machine without a token together (api/client_name.h), and as many at once; 0: no limit.
  double local_per_minute = 600;
  std::size_t most_clients = 4096;  // clients whose rates are kept
};

class FreshReports {
 public:
  using Make = std::function<Result<Report>(const ReportQuery&)>;
  using Time = std::chrono::steady_clock::time_point;
  // `jobs` outlives this object and is stopped before it is destroyed; `metrics` may be null. `make` runs in a job. `now`
  // is the time by which rates and durations are measured; any thread calls it.
  FreshReports(const ReportLimits& limits, ReportJobs& jobs, EvidenceMetrics* metrics, Make make,
               std::function<Time()> now = std::chrono::steady_clock::now);

  // `done` is called once: in a job, or at once for a refusal. Any thread.
  void add(const ReportQuery& query, ReportDone done);
  std::size_t waiting();

 private:
  struct Waiting {
    ReportQuery query;
    ReportDone done;
  };
  int wait_s(const std::string& client);  // called with the lock held
  void refuse(ReportRefusal reason, int retry_after_s, const ReportDone& done);
  int drain_time_s() const;  // called with the lock held
  void post_next();
  void make_next();

  ReportJobs& jobs_;
  EvidenceMetrics* const metrics_;
  const Make make_;
  const std::function<Time()> now_;
  std::mutex mutex_;  // guards everything below
  FairQueue<Waiting> queue_;
  ClientRates rates_;
  ClientRates local_rate_;
  bool making_ = false;   // a job is taking reports from the queue
  double made_in_s_ = 0;  // smoothed duration of the last reports
};

}  // namespace cloister::reports
