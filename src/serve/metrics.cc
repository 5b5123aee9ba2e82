#include "serve/metrics.h"

#include <cstdlib>

#include <prometheus/text_serializer.h>

namespace cloister::serve {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

double seconds(std::chrono::steady_clock::duration elapsed) { return std::chrono::duration<double>(elapsed).count(); }

const prometheus::Histogram::BucketBoundaries kLatencyBuckets = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                                 0.5,   1,      2.5,   5,    10,    30,   60};

prometheus::Counter* counter(prometheus::Registry& registry, const char* name, const char* help) {
  return &BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge* gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return &BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram* histogram(prometheus::Registry& registry, const char* name, const char* help) {
  return &BuildHistogram().Name(name).Help(help).Register(registry).Add({}, kLatencyBuckets);
}

// Raises the counter to what something else has counted. A counter that starts anew, as after a server was gone, continues from there.
void raise(prometheus::Counter& counter, std::uint64_t to) {
  const double more = static_cast<double>(to) - counter.Value();
  if (more > 0) counter.Increment(more);
}

}  // namespace

Metrics::Metrics()
    : requests_(BuildCounter().Name("cloister_requests_total").Help("Replies by route and status").Register(registry_)),
      abandoned_(counter(registry_, "cloister_replies_abandoned_total", "Replies whose client went away")),
      signatures_(counter(registry_, "cloister_signatures_total", "Replies signed")),
      receipts_(counter(registry_, "cloister_receipts_total", "Replies that went out with a receipt")),
      store_failures_(
          counter(registry_, "cloister_receipt_store_failures_total", "Writes that the receipts' store refused")),
      lost_receipts_(
          counter(registry_, "cloister_receipts_lost_total", "Receipts that no store took and memory had no room for")),
      prompt_tokens_(counter(registry_, "cloister_prompt_tokens_total", "Prompt tokens, cached ones included")),
      cached_tokens_(counter(registry_, "cloister_cached_prompt_tokens_total", "Prompt tokens taken from the cache")),
      completion_tokens_(counter(registry_, "cloister_completion_tokens_total", "Tokens generated")),
      first_byte_(histogram(registry_, "cloister_first_byte_seconds", "Request read to first reply byte queued")),
      reply_(histogram(registry_, "cloister_reply_seconds", "Request read to reply complete")),
      running_(gauge(registry_, "cloister_inference_running", "Inference requests begun and not ended")),
      engine_active_(gauge(registry_, "cloister_engine_active", "Requests that compute now")),
      engine_waiting_(gauge(registry_, "cloister_engine_waiting", "Requests queued in the engine")),
      engine_ready_(gauge(registry_, "cloister_engine_ready", "1 when the engine answers")),
      upstream_up_(BuildGauge().Name("cloister_upstream_up").Help("1 when the upstream answers").Register(registry_)),
      upstream_active_(
          BuildGauge().Name("cloister_upstream_active").Help("Requests at the upstream").Register(registry_)),
      upstream_requests_(
          BuildCounter().Name("cloister_upstream_requests_total").Help("Requests sent").Register(registry_)),
      upstream_failures_(BuildCounter()
                             .Name("cloister_upstream_failures_total")
                             .Help("Requests that found it unreachable, unwilling (502, 503) or that it broke off")
                             .Register(registry_)),
      answers_passed_at_(BuildGauge()
                             .Name("cloister_known_answers_passed_timestamp_seconds")
                             .Help("When the last known-answer test was passed, since 1970; 0 for never")
                             .Register(registry_)),
      answers_seconds_(BuildGauge()
                           .Name("cloister_known_answers_seconds")
                           .Help("What the last known-answer test took")
                           .Register(registry_)),
      answers_deviation_(BuildGauge()
                             .Name("cloister_known_answers_deviation")
                             .Help("What log probabilities differed by on the average in the last test that was passed")
                             .Register(registry_)),
      answers_failures_(BuildCounter()
                            .Name("cloister_known_answers_failures_total")
                            .Help("Known-answer tests that failed")
                            .Register(registry_)),
      connections_(gauge(registry_, "cloister_connections_open", "Open client connections")),
      waiting_receipts_(
          gauge(registry_, "cloister_receipts_waiting", "Finished requests whose receipts are not stored yet")),
      stored_receipts_(
          gauge(registry_, "cloister_receipts_stored", "Receipts that can be fetched, counted every few seconds")) {}

void Metrics::count_request(std::string_view route, int status) {
  const std::lock_guard lock(mutex_);
  for (const Replies& known : replies_) {
    if (known.status == status && known.route == route) return known.counter->Increment();
  }
  prometheus::Counter& counter = requests_.Add({{"route", std::string(route)}, {"status", std::to_string(status)}});
  replies_.push_back({std::string(route), status, &counter});
  counter.Increment();
}

void Metrics::count_usage(const engine::Usage& usage) {
  prompt_tokens_->Increment(static_cast<double>(usage.prompt_tokens));
  cached_tokens_->Increment(static_cast<double>(usage.cached_tokens));
  completion_tokens_->Increment(static_cast<double>(usage.completion_tokens));
}

void Metrics::observe_first_byte(std::chrono::steady_clock::duration elapsed) {
  first_byte_->Observe(seconds(elapsed));
}
void Metrics::observe_reply(std::chrono::steady_clock::duration elapsed) { reply_->Observe(seconds(elapsed)); }

void Metrics::set_engine(const engine::EngineStats& stats, bool ready) {
  engine_active_->Set(static_cast<double>(stats.active));
  engine_waiting_->Set(static_cast<double>(stats.waiting));
  engine_ready_->Set(ready ? 1 : 0);
}

void Metrics::set_upstreams(const std::vector<engine::UpstreamState>& upstreams) {
  for (const engine::UpstreamState& one : upstreams) {
    const prometheus::Labels labels = {{"upstream", one.url}};
    upstream_up_.Add(labels).Set(one.up ? 1 : 0);
    upstream_active_.Add(labels).Set(static_cast<double>(one.active));
    raise(upstream_requests_.Add(labels), one.requests);
    raise(upstream_failures_.Add(labels), one.failures);
  }
}

void Metrics::set_known_answers(const std::vector<engine::KnownAnswersState>& states) {
  for (const engine::KnownAnswersState& one : states) {
    prometheus::Labels labels = {{"model", one.model}};
    if (!one.server.empty()) labels["upstream"] = one.server;
    answers_passed_at_.Add(labels).Set(one.last ? static_cast<double>(one.last->passed_at) : 0);
    answers_seconds_.Add(labels).Set(std::chrono::duration<double>(one.took).count());
    answers_deviation_.Add(labels).Set(one.last ? std::strtod(one.last->deviation.c_str(), nullptr) : 0);
    raise(answers_failures_.Add(labels), one.failures);
  }
}

void Metrics::set_connections(std::uint64_t open) { connections_->Set(static_cast<double>(open)); }
void Metrics::set_stored_receipts(std::uint64_t count) { stored_receipts_->Set(static_cast<double>(count)); }

void Metrics::set_receipts(std::size_t waiting, std::uint64_t lost) {
  waiting_receipts_->Set(static_cast<double>(waiting));
  lost_receipts_->Increment(static_cast<double>(lost) - lost_receipts_->Value());
}

std::string Metrics::render() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

}  // namespace cloister::serve
