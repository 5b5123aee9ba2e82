// Metrics of evidence: reports, quotes, GPUs. Counting is lock-free.
#pragma once

#include <chrono>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "serve/gpu_gate.h"

namespace cloister::serve {

enum class ReportRefusal { kQueueFull, kClientRate };

class EvidenceMetrics {
 public:
  explicit EvidenceMetrics(prometheus::Registry& registry);

  void count_quote() { quotes_->Increment(); }
  void count_failure() { failures_->Increment(); }
  void observe_report(std::chrono::steady_clock::duration made_in);
  void count_refusal(ReportRefusal reason);
  void count_unreachable_replicas(std::size_t replicas) { unreachable_->Increment(static_cast<double>(replicas)); }
  void set_waiting(std::size_t reports) { waiting_->Set(static_cast<double>(reports)); }
  // Sets the age of the report that callers without a nonce get; negative means that there is no such report.
  void set_report_age(std::int64_t age_s) { age_->Set(static_cast<double>(age_s)); }
  void set_gpu_gate(const GpuGateState& state, UnixSeconds now);

 private:
  prometheus::Counter* quotes_;
  prometheus::Counter* failures_;
  prometheus::Histogram* report_;
  prometheus::Counter* unreachable_;
  prometheus::Family<prometheus::Counter>& refusals_;
  prometheus::Counter* queue_full_;
  prometheus::Counter* client_rate_;
  prometheus::Gauge* waiting_;
  prometheus::Gauge* age_;
  prometheus::Family<prometheus::Gauge>& gate_;
  prometheus::Family<prometheus::Gauge>& gpu_age_;
  prometheus::Family<prometheus::Gauge>& gpu_checks_;
};

}  // namespace cloister::serve
