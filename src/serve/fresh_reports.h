// FreshReports: the queue of those who bring a nonce. Reports are made one after the other, the clients in turn; a
// client that asks too often, and all beyond a bounded queue, are refused with the time after which to ask again.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/fair_queue.h"
#include "base/result.h"
#include "serve/client_rates.h"
#include "serve/evidence_metrics.h"
#include "serve/report_jobs.h"
#include "serve/report_query.h"

namespace cloister::serve {

using Report = std::shared_ptr<const std::string>;  // JSON text
using ReportDone = std::function<void(Result<Report>)>;

struct ReportLimits {
  std::size_t queue = 64;             // that wait
  double per_client_per_minute = 60;  // 0: no limit
  double per_client_burst = 60;
  // All callers of this machine without a token together (serve/client_name.h), and as many at once; 0: no limit.
  double local_per_minute = 600;
  std::size_t most_clients = 4096;  // whose rates are kept
};

class FreshReports {
 public:
  using Make = std::function<Result<Report>(const ReportQuery&)>;
  // `jobs` outlives it and is stopped before it goes; `metrics` may be null. `make` runs in a job.
  FreshReports(const ReportLimits& limits, ReportJobs& jobs, EvidenceMetrics* metrics, Make make);

  // `done` is called once: from a job, or at once for a refusal. Any thread.
  void add(const ReportQuery& query, ReportDone done);
  std::size_t waiting();

 private:
  struct Waiting {
    ReportQuery query;
    ReportDone done;
  };
  int wait_s(const std::string& client);  // with the lock held
  void refuse(ReportRefusal reason, int retry_after_s, const ReportDone& done);
  int drain_time_s() const;  // with the lock held
  void post_next();
  void make_next();

  ReportJobs& jobs_;
  EvidenceMetrics* const metrics_;
  const Make make_;
  std::mutex mutex_;  // for all below
  FairQueue<Waiting> queue_;
  ClientRates rates_;
  ClientRates local_rate_;
  bool making_ = false;   // a job takes from the queue
  double made_in_s_ = 0;  // how long the last reports took, smoothed
};

}  // namespace cloister::serve
