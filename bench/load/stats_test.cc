#include "load/stats.h"

#include <gtest/gtest.h>

namespace cloister::bench {
namespace {

using std::chrono::microseconds;

TEST(Series, GivesTheNearestRank) {
  Series series;
  for (int i = 100; i >= 1; --i) series.add(microseconds(i));
  EXPECT_DOUBLE_EQ(series.percentile(0.50), 50);
  EXPECT_DOUBLE_EQ(series.percentile(0.99), 99);
  EXPECT_DOUBLE_EQ(series.percentile(1.0), 100);
  const Json summary = series.summary();
  EXPECT_EQ(summary["count"], 100);
  EXPECT_EQ(summary["mean"], 50.5);
  EXPECT_EQ(summary["p90"], 90.0);
  EXPECT_EQ(summary["max"], 100.0);
}

TEST(Series, IsZeroWhenEmpty) {
  const Series series;
  EXPECT_EQ(series.percentile(0.5), 0);
  EXPECT_EQ(series.summary()["count"], 0);
  EXPECT_EQ(series.summary()["max"], 0);
}

TEST(Series, OneValueIsEveryPercentile) {
  Series series;
  series.add(microseconds(7));
  EXPECT_DOUBLE_EQ(series.percentile(0.01), 7);
  EXPECT_DOUBLE_EQ(series.percentile(0.99), 7);
}

}  // namespace
}  // namespace cloister::bench
