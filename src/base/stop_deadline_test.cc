#include "base/stop_deadline.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace cloister {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(StopDeadline, NothingHappensInTime) {
  const StopDeadline deadline(hours(1), 3, [] { FAIL(); });
}

TEST(StopDeadlineDeathTest, EndsAProcessThatDoesNotEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stuck = [] {
    const StopDeadline deadline(milliseconds(20), 3, [] { std::fputs("last words", stderr); });
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    never.wait(lock, [] { return false; });
  };
  EXPECT_EXIT(stuck(), testing::ExitedWithCode(3), "last words");
}

}  // namespace
}  // namespace cloister
