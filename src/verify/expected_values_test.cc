#include "verify/expected_values.h"

#include <gtest/gtest.h>

namespace cloister::verify {
namespace {

TEST(ExpectedValues, OneOfThemPasses) {
  const std::set<Bytes> expected = {{0xaa}, {0xbb}};
  EXPECT_EQ(one_of("x", expected, Bytes{0xbb}).state, State::kPass);
  EXPECT_EQ(one_of("x", expected, Bytes{0xbb}).actual, "bb");
  const Check check = one_of("x", expected, Bytes{0xbb, 0});
  EXPECT_EQ(check.state, State::kFail);
  EXPECT_EQ(check.expected, "aa or bb");
  EXPECT_EQ(check.actual, "bb00");
}

TEST(ExpectedValues, OfManySomeAreShown) {
  std::set<Bytes> values;
  for (std::uint8_t i = 0; i < 10; ++i) values.insert(Bytes{i});
  EXPECT_EQ(listed_values(values), "00 or 01 or 02 or 03 or 04 or 05 or 06 or 07 or 2 more");
  EXPECT_EQ(listed_values({}), "");
}

}  // namespace
}  // namespace cloister::verify
