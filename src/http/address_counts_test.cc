#include "http/address_counts.h"

#include <gtest/gtest.h>

namespace cloister::http {
namespace {

using Addresses = std::vector<std::string>;

TEST(AddressCounts, NamesWhoHasMost) {
  AddressCounts counts;
  EXPECT_EQ(counts.holders_above(0, 9), Addresses());
  for (int i = 0; i < 5; ++i) counts.enter("many");
  for (int i = 0; i < 3; ++i) counts.enter("some");
  EXPECT_EQ(counts.enter("one"), 1u);
  EXPECT_EQ(counts.holders_above(0, 9), (Addresses{"many", "some", "one"}));
  EXPECT_EQ(counts.holders_above(0, 2), (Addresses{"many", "some"}));
  EXPECT_EQ(counts.holders_above(1, 9), (Addresses{"many", "some"}));
  EXPECT_EQ(counts.holders_above(3, 9), Addresses{"many"});
  EXPECT_EQ(counts.holders_above(5, 9), Addresses());
  for (int i = 0; i < 3; ++i) counts.leave("many");
  EXPECT_EQ(counts.holders_above(0, 9), (Addresses{"some", "many", "one"}));
  for (int i = 0; i < 2; ++i) counts.leave("many");
  counts.leave("nobody");
  EXPECT_EQ(counts.holders_above(0, 9), (Addresses{"some", "one"}));
  EXPECT_EQ(counts.enter("many"), 1u);
}

}  // namespace
}  // namespace cloister::http
