#include "metrics/registry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace cloister::metrics {

void Counter::increment(double by) { counter_->Increment(by); }

void Counter::raise(std::uint64_t to) {
  const double more = static_cast<double>(to) - counter_->Value();
  if (more > 0) counter_->Increment(more);
}

void Gauge::set(double value) { gauge_->Set(value); }
void Gauge::increment() { gauge_->Increment(); }
void Gauge::decrement() { gauge_->Decrement(); }

void Histogram::observe(std::chrono::steady_clock::duration took) {
  histogram_->Observe(std::chrono::duration<double>(took).count());
}

Counter CounterFamily::with(const Labels& labels) { return Counter(family_->Add(labels)); }
Gauge GaugeFamily::with(const Labels& labels) { return Gauge(family_->Add(labels)); }

Registry::Registry() : registry_(std::make_unique<prometheus::Registry>()) {}
Registry::~Registry() = default;

Counter Registry::counter(const char* name, const char* help) { return counters(name, help).with({}); }
Gauge Registry::gauge(const char* name, const char* help) { return gauges(name, help).with({}); }

Histogram Registry::histogram(const char* name, const char* help, const Buckets& buckets) {
  return Histogram(prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_).Add({}, buckets));
}

CounterFamily Registry::counters(const char* name, const char* help) {
  return CounterFamily(prometheus::BuildCounter().Name(name).Help(help).Register(*registry_));
}

GaugeFamily Registry::gauges(const char* name, const char* help) {
  return GaugeFamily(prometheus::BuildGauge().Name(name).Help(help).Register(*registry_));
}

std::string Registry::render() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

}  // namespace cloister::metrics
