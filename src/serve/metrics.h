// Prometheus metrics of the node. Handles are made once; counting is lock-free, except for replies by route and status.
// Labels hold routes, statuses, kinds, and names from the operator: never text from a caller.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "serve/evidence_metrics.h"

namespace cloister::serve {

class Metrics {
 public:
  Metrics();

  // Counts one finished reply of a route ("chat_completions", "report" ...).
  void count_request(std::string_view route, int status);
  void count_abandoned() { abandoned_->Increment(); }
  void count_signature() { signatures_->Increment(); }
  void count_receipt() { receipts_->Increment(); }
  void count_store_failure() { store_failures_->Increment(); }
  void set_receipts(std::size_t waiting, std::uint64_t lost);
  void count_usage(const engine::Usage& usage);
  void observe_first_byte(std::chrono::steady_clock::duration elapsed);
  void observe_reply(std::chrono::steady_clock::duration elapsed);
  void request_started() { running_->Increment(); }
  void request_ended() { running_->Decrement(); }
  void set_engine(const engine::EngineStats& stats, bool ready);
  void set_upstreams(const std::vector<engine::UpstreamState>& upstreams);
  void set_known_answers(const std::vector<engine::KnownAnswersState>& states);
  void set_connections(std::uint64_t open);
  void set_stored_receipts(std::uint64_t count);

  EvidenceMetrics& evidence() { return evidence_; }

  // The metrics in text exposition format 0.0.4.
  std::string render() const;

 private:
  struct Replies {
    std::string route;
    int status;
    prometheus::Counter* counter;
  };

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  std::mutex mutex_;
  std::vector<Replies>
      replies_;  // the counters of requests_ so far, since looking one up there costs a dozen allocations
  prometheus::Counter* abandoned_;
  prometheus::Counter* signatures_;
  prometheus::Counter* receipts_;
  prometheus::Counter* store_failures_;
  prometheus::Counter* lost_receipts_;
  prometheus::Counter* prompt_tokens_;
  prometheus::Counter* cached_tokens_;
  prometheus::Counter* completion_tokens_;
  prometheus::Histogram* first_byte_;
  prometheus::Histogram* reply_;
  prometheus::Gauge* running_;
  prometheus::Gauge* engine_active_;
  prometheus::Gauge* engine_waiting_;
  prometheus::Gauge* engine_ready_;
  prometheus::Family<prometheus::Gauge>& upstream_up_;
  prometheus::Family<prometheus::Gauge>& upstream_active_;
  prometheus::Family<prometheus::Counter>& upstream_requests_;
  prometheus::Family<prometheus::Counter>& upstream_failures_;
  prometheus::Family<prometheus::Gauge>& answers_passed_at_;
  prometheus::Family<prometheus::Gauge>& answers_seconds_;
  prometheus::Family<prometheus::Gauge>& answers_deviation_;
  prometheus::Family<prometheus::Counter>& answers_failures_;
  prometheus::Gauge* connections_;
  prometheus::Gauge* waiting_receipts_;
  prometheus::Gauge* stored_receipts_;
  EvidenceMetrics evidence_{registry_};
};

}  // namespace cloister::serve
