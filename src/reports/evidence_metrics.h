// Metrics of evidence: reports, quotes, GPUs. Counting is lock-free.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "metrics/registry.h"
#include "reports/gpu_gate.h"

namespace cloister::reports {

enum class ReportRefusal { kQueueFull, kClientRate };

class EvidenceMetrics {
 public:
  // The registry outlives this object.
  explicit EvidenceMetrics(metrics::Registry& registry);

  void count_quote() { quotes_.increment(); }
  void count_failure() { failures_.increment(); }
  void observe_report(std::chrono::steady_clock::duration made_in) { report_.observe(made_in); }
  void count_refusal(ReportRefusal reason);
  void count_unreachable_replicas(std::size_t replicas) { unreachable_.increment(static_cast<double>(replicas)); }
  void set_waiting(std::size_t reports) { waiting_.set(static_cast<double>(reports)); }
  // Sets the age of the report that callers without a nonce get; negative means that there is no such report.
  void set_report_age(std::int64_t age_s) { age_.set(static_cast<double>(age_s)); }
  void set_gpu_gate(const GpuGateState& state, UnixSeconds now);

 private:
  metrics::Counter quotes_;
  metrics::Counter failures_;
  metrics::Histogram report_;
  metrics::Counter unreachable_;
  metrics::CounterFamily refusals_;
  metrics::Counter queue_full_;
  metrics::Counter client_rate_;
  metrics::Gauge waiting_;
  metrics::Gauge age_;
  metrics::GaugeFamily gate_;
  metrics::GaugeFamily gpu_age_;
  metrics::GaugeFamily gpu_checks_;
};

}  // namespace cloister::reports
