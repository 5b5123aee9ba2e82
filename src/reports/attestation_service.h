// AttestationService: makes reports of every kind. Collecting evidence is slow on hardware, so it runs on the worker
// pool. Reports without a nonce are cached for one epoch, made once for all who wait, and renewed in the background;
// reports with a nonce are made fresh (reports/fresh_reports.h).
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "reports/fresh_reports.h"
#include "reports/report_jobs.h"
#include "reports/report_parts.h"
#include "reports/report_query.h"

namespace cloister::reports {

class AttestationService {
 public:
  using Report = reports::Report;
  using Done = ReportDone;

  // Pool and clock outlive the service, and so does everything that the parts point at.
  AttestationService(ReportParts parts, WorkerPool& pool, const Clock& clock, const ReportLimits& limits = {});
  // Waits for the report that is being made.
  ~AttestationService();
  AttestationService(const AttestationService&) = delete;
  AttestationService& operator=(const AttestationService&) = delete;

  // `done` is called once: at once on this thread when the cache has the report, else on a worker. Any thread.
  void report(const ReportQuery& query, Done done);

  // Begins to make the reports of this epoch that keep_report has not received in the last half day, for which stores keep them: called
  // when the epoch changes, and again with each report, so that a TEE that failed once only delays them. Any thread; does not block.
  void keep_current();

  // Updates the gauges of the metrics.
  void update_metrics();

 private:
  struct Made {
    std::shared_ptr<const identity::Epoch> epoch;
    Report report;
    bool provisional = false;  // made while a known-answer test was still pending: handed out and not kept
  };
  struct Cached {
    Made made;
    UnixSeconds time = 0;
    bool in_flight = false;
    std::vector<Done> waiting;
  };
  // Slots for reports without a nonce: legacy by algorithm, TLS binding and replicas; ACI; native.
  static constexpr std::size_t kSlots = 10;
  static std::size_t slot(const ReportQuery& query);

  void refresh(const ReportQuery& query);
  void finish_refresh(const ReportQuery& query, Result<Made> made);
  void keep(const ReportQuery& query, const Made& made);
  bool is_provisional(ReportKind kind) const;
  // Makes and counts a report.
  Result<Made> make(const ReportQuery& query) const;

  const ReportParts parts_;
  const Clock& clock_;
  ReportJobs jobs_;
  FreshReports fresh_;
  std::mutex mutex_;  // guards everything below; never held while the identity is asked
  std::array<Cached, kSlots> cache_;
  struct Kept {
    std::shared_ptr<const identity::Epoch> epoch;
    UnixSeconds time = 0;
  };
  bool is_kept(ReportKind kind, const identity::Epoch& epoch) const;  // with the lock held
  std::array<Kept, 3> kept_;                                          // by kind: the last report that was kept
  std::unique_ptr<identity::Identity::Listener> listener_;
};

}  // namespace cloister::reports
