#include "serve/engine_metrics.h"

#include <chrono>
#include <cstdlib>

namespace cloister::serve {

EngineMetrics::EngineMetrics(metrics::Registry& registry)
    : active_(registry.gauge("cloister_engine_active", "Requests that compute now")),
      waiting_(registry.gauge("cloister_engine_waiting", "Requests queued in the engine")),
      ready_(registry.gauge("cloister_engine_ready", "1 when the engine answers")),
      upstream_up_(registry.gauges("cloister_upstream_up", "1 when the upstream answers")),
      upstream_active_(registry.gauges("cloister_upstream_active", "Requests at the upstream")),
      upstream_requests_(registry.counters("cloister_upstream_requests_total", "Requests sent")),
      upstream_failures_(
          registry.counters("cloister_upstream_failures_total",
                            "Requests that found it unreachable, unwilling (502, 503) or that it broke off")),
      answers_passed_at_(registry.gauges("cloister_known_answers_passed_timestamp_seconds",
                                         "When the last known-answer test was passed, since 1970; 0 for never")),
      answers_seconds_(registry.gauges("cloister_known_answers_seconds", "What the last known-answer test took")),
      answers_deviation_(
          registry.gauges("cloister_known_answers_deviation",
                          "What log probabilities differed by on the average in the last test that was passed")),
      answers_failures_(registry.counters("cloister_known_answers_failures_total", "Known-answer tests that failed")) {}

void EngineMetrics::set_engine(const engine::EngineStats& stats, bool ready) {
  active_.set(static_cast<double>(stats.active));
  waiting_.set(static_cast<double>(stats.waiting));
  ready_.set(ready ? 1 : 0);
}

// A counter that starts anew, as after a server was gone, continues from what it was.
void EngineMetrics::set_upstreams(const std::vector<engine::UpstreamState>& upstreams) {
  for (const engine::UpstreamState& one : upstreams) {
    const metrics::Labels labels = {{"upstream", one.url}};
    upstream_up_.with(labels).set(one.up ? 1 : 0);
    upstream_active_.with(labels).set(static_cast<double>(one.active));
    upstream_requests_.with(labels).raise(one.requests);
    upstream_failures_.with(labels).raise(one.failures);
  }
}

void EngineMetrics::set_known_answers(const std::vector<engine::KnownAnswersState>& states) {
  for (const engine::KnownAnswersState& one : states) {
    metrics::Labels labels = {{"model", one.model}};
    if (!one.server.empty()) labels["upstream"] = one.server;
    answers_passed_at_.with(labels).set(one.last ? static_cast<double>(one.last->passed_at) : 0);
    answers_seconds_.with(labels).set(std::chrono::duration<double>(one.took).count());
    answers_deviation_.with(labels).set(one.last ? std::strtod(one.last->deviation.c_str(), nullptr) : 0);
    answers_failures_.with(labels).raise(one.failures);
  }
}

}  // namespace cloister::serve
