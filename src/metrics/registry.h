// What a process counts and measures of itself, and the text in which Prometheus reads it. Each room declares its own
// metrics in the one Registry of its process. Handles are made once, at the start, and are as valid as their registry.
// Counting through a handle takes no lock; looking a member of a family up takes one. Any thread.
//
// Labels hold routes, statuses, kinds, and names from the operator: never text from a caller.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
template <typename Metric>
class Family;
}  // namespace prometheus

namespace cloister::metrics {

using Labels = std::map<std::string, std::string>;
using Buckets = std::vector<double>;  // upper bounds, in seconds

class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void increment(double by = 1);
  // Raises the counter to what something else has counted; a smaller count changes nothing.
  void raise(std::uint64_t to);

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void set(double value);
  void increment();
  void decrement();

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void observe(std::chrono::steady_clock::duration took);

 private:
  prometheus::Histogram* histogram_;
};

// Metrics of one name that differ in their labels. with() makes the member where it is not there yet.
class CounterFamily {
 public:
  explicit CounterFamily(prometheus::Family<prometheus::Counter>& family) : family_(&family) {}
  Counter with(const Labels& labels);

 private:
  prometheus::Family<prometheus::Counter>* family_;
};

class GaugeFamily {
 public:
  explicit GaugeFamily(prometheus::Family<prometheus::Gauge>& family) : family_(&family) {}
  Gauge with(const Labels& labels);

 private:
  prometheus::Family<prometheus::Gauge>* family_;
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter counter(const char* name, const char* help);
  Gauge gauge(const char* name, const char* help);
  Histogram histogram(const char* name, const char* help, const Buckets& buckets);
  CounterFamily counters(const char* name, const char* help);
  GaugeFamily gauges(const char* name, const char* help);

  // All metrics in text exposition format 0.0.4.
  std::string render() const;

 private:
  const std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace cloister::metrics
