// RequestMetrics: what a server counts of its requests, whatever stands behind it. Counting is lock-free, except for
// replies by route and status. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/reply_outcome.h"
#include "metrics/registry.h"

namespace cloister::api {

class RequestMetrics {
 public:
  // The registry outlives this object.
  explicit RequestMetrics(metrics::Registry& registry);

  // Counts one finished reply of a route ("chat_completions", "report" ...).
  void count_request(std::string_view route, int status);
  void count_abandoned() { abandoned_.increment(); }
  void count_usage(const evidence::TokenUsage& usage);
  void observe_first_byte(std::chrono::steady_clock::duration elapsed) { first_byte_.observe(elapsed); }
  void observe_reply(std::chrono::steady_clock::duration elapsed) { reply_.observe(elapsed); }
  // An inference request has begun, or ended.
  void request_started() { running_.increment(); }
  void request_ended() { running_.decrement(); }
  void set_connections(std::uint64_t open) { connections_.set(static_cast<double>(open)); }

 private:
  struct Replies {
    std::string route;
    int status;
    metrics::Counter counter;
  };

  metrics::CounterFamily requests_;
  std::mutex mutex_;
  // The counters of requests_ so far, since looking one up there costs a dozen allocations.
  std::vector<Replies> replies_;
  metrics::Counter abandoned_;
  metrics::Counter prompt_tokens_;
  metrics::Counter cached_tokens_;
  metrics::Counter completion_tokens_;
  metrics::Histogram first_byte_;
  metrics::Histogram reply_;
  metrics::Gauge running_;
  metrics::Gauge connections_;
};

}  // namespace cloister::api
