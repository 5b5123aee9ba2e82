#include "reports/evidence_metrics.h"

namespace cloister::reports {
namespace {

const metrics::Buckets kReportBuckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

}  // namespace

EvidenceMetrics::EvidenceMetrics(metrics::Registry& registry)
    : quotes_(registry.counter("cloister_quotes_total", "Quotes made")),
      failures_(registry.counter("cloister_report_failures_total", "Reports that could not be made")),
      report_(registry.histogram("cloister_report_seconds", "Time to make a report", kReportBuckets)),
      unreachable_(
          registry.counter("cloister_replicas_unreachable_total", "Replicas that gave no report when they were asked")),
      refusals_(registry.counters("cloister_report_refusals_total", "Reports with a nonce that were refused")),
      queue_full_(refusals_.with({{"reason", "queue_full"}})),
      client_rate_(refusals_.with({{"reason", "client_rate"}})),
      waiting_(registry.gauge("cloister_reports_waiting", "Reports with a nonce in the queue")),
      age_(registry.gauge("cloister_report_age_seconds",
                          "Age of the newest report kept for callers without a nonce; -1 for none")),
      gate_(registry.gauges("cloister_gpu_gate_open", "1 while the GPUs are attested and prompts are taken")),
      gpu_age_(
          registry.gauges("cloister_gpu_evidence_age_seconds", "Since the last good check of the GPUs; -1 for none")),
      gpu_checks_(registry.gauges("cloister_gpu_checks", "Checks of the GPUs by result, since the start")) {}

void EvidenceMetrics::count_refusal(ReportRefusal reason) {
  (reason == ReportRefusal::kQueueFull ? queue_full_ : client_rate_).increment();
}

void EvidenceMetrics::set_gpu_gate(const GpuGateState& state, UnixSeconds now) {
  gate_.with({}).set(state.open ? 1 : 0);
  gpu_age_.with({}).set(state.passed != 0 ? static_cast<double>(now - state.passed) : -1);
  gpu_checks_.with({{"result", "passed"}}).set(static_cast<double>(state.checks_passed));
  gpu_checks_.with({{"result", "failed"}}).set(static_cast<double>(state.checks_failed));
}

}  // namespace cloister::reports
