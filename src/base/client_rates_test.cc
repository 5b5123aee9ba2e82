#include "base/client_rates.h"

#include <gtest/gtest.h>

namespace cloister {
namespace {

using std::chrono::seconds;

const ClientRates::Time kStart{};

TEST(ClientRates, ABurstThenARate) {
  ClientRates rates(6, 3, 10);  // one in 10 s
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.take("a", kStart), 0);
  EXPECT_EQ(rates.take("a", kStart), 10);
  EXPECT_EQ(rates.take("a", kStart + seconds(4)), 6);
  EXPECT_EQ(rates.take("a", kStart + seconds(10)), 0);
  EXPECT_EQ(rates.take("a", kStart + seconds(10)), 10);
  EXPECT_EQ(rates.take("b", kStart + seconds(10)), 0) << "others have their own";
}

TEST(ClientRates, ABucketHoldsNoMoreThanABurst) {
  ClientRates rates(60, 2, 10);
  EXPECT_EQ(rates.take("a", kStart), 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(rates.take("a", kStart + seconds(1000)), 0);
  EXPECT_GT(rates.take("a", kStart + seconds(1000)), 0);
}

TEST(ClientRates, TheTableIsBoundedAndForgetsTheLeastRecent) {
  ClientRates rates(1, 1, 2);
  EXPECT_EQ(rates.take("a", kStart), 0);
  EXPECT_EQ(rates.take("b", kStart), 0);
  EXPECT_GT(rates.take("a", kStart), 0);
  EXPECT_EQ(rates.take("c", kStart), 0);
  EXPECT_EQ(rates.clients(), 2u);
  EXPECT_GT(rates.take("a", kStart), 0) << "b was forgotten, not a";
  EXPECT_EQ(rates.take("b", kStart), 0);
  for (int i = 0; i < 1000; ++i) static_cast<void>(rates.take(std::to_string(i), kStart));
  EXPECT_EQ(rates.clients(), 2u);
}

TEST(ClientRates, ZeroIsNoLimit) {
  ClientRates rates(0, 0, 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rates.take("a", kStart), 0);
  EXPECT_EQ(rates.clients(), 0u);
}

}  // namespace
}  // namespace cloister
