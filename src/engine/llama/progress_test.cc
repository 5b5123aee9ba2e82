#include "engine/llama/progress.h"

#include <gtest/gtest.h>

namespace cloister::engine::llama {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Progress, SilenceWhileRepliesRunIsAStall) {
  const std::atomic<bool> stopping{false};
  Progress progress(stopping);
  const Progress::Clock::time_point start = Progress::Clock::now();
  EXPECT_FALSE(progress.is_stalled(start + hours(9))) << "nothing runs";
  progress.set_busy(true, start + hours(9));
  EXPECT_FALSE(progress.is_stalled(start + hours(9) + seconds(60))) << "the hours before were idle";
  EXPECT_TRUE(progress.is_stalled(start + hours(9) + seconds(61)));
  progress.beat(start + hours(9) + seconds(62));
  EXPECT_FALSE(progress.is_stalled(start + hours(9) + seconds(63))) << "it goes on";
  progress.set_busy(true, start + hours(9) + seconds(100));
  EXPECT_TRUE(progress.is_stalled(start + hours(9) + seconds(123))) << "one more reply is no sign of life";
  progress.set_busy(false, start + hours(10));
  EXPECT_FALSE(progress.is_stalled(start + hours(20)));
}

}  // namespace
}  // namespace cloister::engine::llama
