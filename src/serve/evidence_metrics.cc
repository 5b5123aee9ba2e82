#include "serve/evidence_metrics.h"

namespace cloister::serve {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

const prometheus::Histogram::BucketBoundaries kReportBuckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                                0.5,   1,    2.5,   5,    10,  30};

}  // namespace

EvidenceMetrics::EvidenceMetrics(prometheus::Registry& r)
    : quotes_(&BuildCounter().Name("cloister_quotes_total").Help("Quotes made").Register(r).Add({})),
      failures_(&BuildCounter()
                     .Name("cloister_report_failures_total")
                     .Help("Reports that could not be made")
                     .Register(r)
                     .Add({})),
      report_(&BuildHistogram()
                   .Name("cloister_report_seconds")
                   .Help("Time to make a report")
                   .Register(r)
                   .Add({}, kReportBuckets)),
      unreachable_(&BuildCounter()
                        .Name("cloister_replicas_unreachable_total")
                        .Help("Replicas that gave no report when they were asked")
                        .Register(r)
                        .Add({})),
      refusals_(BuildCounter()
                    .Name("cloister_report_refusals_total")
                    .Help("Reports with a nonce that were refused")
                    .Register(r)),
      queue_full_(&refusals_.Add({{"reason", "queue_full"}})),
      client_rate_(&refusals_.Add({{"reason", "client_rate"}})),
      waiting_(
          &BuildGauge().Name("cloister_reports_waiting").Help("Reports with a nonce in the queue").Register(r).Add({})),
      age_(&BuildGauge()
                .Name("cloister_report_age_seconds")
                .Help("Age of the newest report kept for callers without a nonce; -1 for none")
                .Register(r)
                .Add({})),
      gate_(BuildGauge()
                .Name("cloister_gpu_gate_open")
                .Help("1 while the GPUs are attested and prompts are taken")
                .Register(r)),
      gpu_age_(BuildGauge()
                   .Name("cloister_gpu_evidence_age_seconds")
                   .Help("Since the last good check of the GPUs; -1 for none")
                   .Register(r)),
      gpu_checks_(
          BuildGauge().Name("cloister_gpu_checks").Help("Checks of the GPUs by result, since the start").Register(r)) {}

void EvidenceMetrics::observe_report(std::chrono::steady_clock::duration made_in) {
  report_->Observe(std::chrono::duration<double>(made_in).count());
}

void EvidenceMetrics::count_refusal(ReportRefusal reason) {
  (reason == ReportRefusal::kQueueFull ? queue_full_ : client_rate_)->Increment();
}

void EvidenceMetrics::set_gpu_gate(const GpuGateState& state, UnixSeconds now) {
  gate_.Add({}).Set(state.open ? 1 : 0);
  gpu_age_.Add({}).Set(state.passed != 0 ? static_cast<double>(now - state.passed) : -1);
  gpu_checks_.Add({{"result", "passed"}}).Set(static_cast<double>(state.checks_passed));
  gpu_checks_.Add({{"result", "failed"}}).Set(static_cast<double>(state.checks_failed));
}

}  // namespace cloister::serve
