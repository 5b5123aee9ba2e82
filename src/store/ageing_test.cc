#include "store/ageing.h"

#include <gtest/gtest.h>

namespace cloister::store {
namespace {

constexpr UnixSeconds kNow = 1'800'000'000;

TEST(Ageing, FollowsAClockThatRuns) {
  EXPECT_EQ(follow(kNow, kNow, 0), kNow);
  EXPECT_EQ(follow(kNow, kNow + 5, 5), kNow + 5);
  EXPECT_EQ(follow(kNow, kNow + 60, 1), kNow + 60);
}

TEST(Ageing, FollowsAJumpSlowly) {
  EXPECT_EQ(follow(kNow, kNow + 1'000'000, 10), kNow + 10 * kCatchUp);
  EXPECT_EQ(follow(kNow, kNow + 1'000'000, 0), kNow);
  EXPECT_EQ(follow(kNow, kNow + 1'000'000, -5), kNow);
  EXPECT_EQ(follow(kNow, INT64_MAX, INT64_MAX), kNow + 366 * 86400 * kCatchUp);
  EXPECT_EQ(follow(0, kNow, INT64_MAX), kNow) << "a jump from 1970";
}

TEST(Ageing, FollowsBackSlowly) {
  EXPECT_EQ(follow(kNow, kNow - 1, 1), kNow - 1);
  EXPECT_EQ(follow(kNow, 0, 100), kNow - 100 * kCatchUp);
  EXPECT_EQ(follow(kNow, INT64_MIN, 100), kNow - 100 * kCatchUp);
}

TEST(Ageing, BeginsWithTheLastThatIsKnown) {
  EXPECT_EQ(first_age(0, kNow), kNow);
  EXPECT_EQ(first_age(kNow - 100, kNow), kNow - 100);
  EXPECT_EQ(first_age(kNow + 100, kNow), kNow);
}

TEST(Ageing, CutsOffWithoutOverflow) {
  EXPECT_EQ(cut_off(kNow, 10), kNow - 10);
  EXPECT_EQ(cut_off(INT64_MIN + 5, INT64_MAX), INT64_MIN);
  EXPECT_EQ(cut_off(-2, INT64_MAX), INT64_MIN);
}

TEST(Ageing, TheSteadyClockRuns) { EXPECT_GT(steady_clock().now(), 0); }

}  // namespace
}  // namespace cloister::store
