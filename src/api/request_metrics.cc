#include "api/request_metrics.h"

namespace cloister::api {
namespace {

const metrics::Buckets kLatencyBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                          0.5,   1,      2.5,   5,    10,    30,   60};

}  // namespace

RequestMetrics::RequestMetrics(metrics::Registry& registry)
    : requests_(registry.counters("cloister_requests_total", "Replies by route and status")),
      abandoned_(registry.counter("cloister_replies_abandoned_total", "Replies whose client went away")),
      prompt_tokens_(registry.counter("cloister_prompt_tokens_total", "Prompt tokens, cached ones included")),
      cached_tokens_(registry.counter("cloister_cached_prompt_tokens_total", "Prompt tokens taken from the cache")),
      completion_tokens_(registry.counter("cloister_completion_tokens_total", "Tokens generated")),
      first_byte_(registry.histogram("cloister_first_byte_seconds", "Request read to first reply byte queued",
                                     kLatencyBuckets)),
      reply_(registry.histogram("cloister_reply_seconds", "Request read to reply complete", kLatencyBuckets)),
      running_(registry.gauge("cloister_inference_running", "Inference requests begun and not ended")),
      connections_(registry.gauge("cloister_connections_open", "Open client connections")) {}

void RequestMetrics::count_request(std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  for (Replies& known : replies_) {
    if (known.status == status && known.route == route) return known.counter.increment();
  }
  metrics::Counter counter = requests_.with({{"route", std::string(route)}, {"status", std::to_string(status)}});
  replies_.push_back({std::string(route), status, counter});
  counter.increment();
}

void RequestMetrics::count_usage(const evidence::TokenUsage& usage) {
  prompt_tokens_.increment(static_cast<double>(usage.prompt_tokens));
  cached_tokens_.increment(static_cast<double>(usage.cached_tokens));
  completion_tokens_.increment(static_cast<double>(usage.completion_tokens));
}

}  // namespace cloister::api
