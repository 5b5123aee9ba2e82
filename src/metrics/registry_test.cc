#include "metrics/registry.h"

#include <gtest/gtest.h>

namespace cloister::metrics {
namespace {

TEST(MetricsRegistry, WritesEachMetricWithItsNameAndHelp) {
  Registry registry;
  Counter counter = registry.counter("things_total", "Things");
  Gauge gauge = registry.gauge("level", "Level");
  Histogram histogram = registry.histogram("took_seconds", "Time", {0.1, 1});
  counter.increment();
  counter.increment(2);
  gauge.increment();
  gauge.increment();
  gauge.decrement();
  histogram.observe(std::chrono::milliseconds(500));
  EXPECT_EQ(registry.render(),
            "# HELP things_total Things\n# TYPE things_total counter\nthings_total 3\n"
            "# HELP level Level\n# TYPE level gauge\nlevel 1\n"
            "# HELP took_seconds Time\n# TYPE took_seconds histogram\ntook_seconds_count 1\ntook_seconds_sum 0.5\n"
            "took_seconds_bucket{le=\"0.1\"} 0\ntook_seconds_bucket{le=\"1\"} 1\ntook_seconds_bucket{le=\"+Inf\"} 1\n");
  gauge.set(7);
  EXPECT_NE(registry.render().find("level 7\n"), std::string::npos);
}

TEST(MetricsRegistry, AFamilyHasOneMemberForEachSetOfLabels) {
  Registry registry;
  CounterFamily family = registry.counters("replies_total", "Replies");
  family.with({{"status", "200"}}).increment();
  family.with({{"status", "200"}}).increment();
  family.with({{"status", "404"}}).increment();
  GaugeFamily up = registry.gauges("up", "1 when it answers");
  EXPECT_EQ(registry.render().find("up"), std::string::npos) << "a family without members is not written";
  up.with({{"url", "a"}}).set(1);
  const std::string text = registry.render();
  for (const char* line :
       {"replies_total{status=\"200\"} 2\n", "replies_total{status=\"404\"} 1\n", "up{url=\"a\"} 1\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(MetricsRegistry, ACounterIsRaisedAndNeverLowered) {
  Registry registry;
  Counter counter = registry.counter("seen_total", "Seen");
  counter.raise(5);
  counter.raise(3);
  EXPECT_NE(registry.render().find("seen_total 5\n"), std::string::npos);
  counter.raise(6);
  EXPECT_NE(registry.render().find("seen_total 6\n"), std::string::npos);
}

}  // namespace
}  // namespace cloister::metrics
