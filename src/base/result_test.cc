#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace cloister {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorCode::kUsage, "odd", "number");
  return number / 2;
}

Result<int> quarter(int number) {
  TRY(once, half(number));
  TRY(twice, half(once));
  return twice;
}

Result<void> needs_even(int number) {
  TRY_VOID(half(number));
  return {};
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(7).error().param, "number");
  EXPECT_TRUE(needs_even(2));
  EXPECT_EQ(needs_even(3).error().code, ErrorCode::kUsage);
  EXPECT_EQ(half(3).value_or(7), 7);
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(5);
  EXPECT_EQ(*std::move(made).value(), 5);
}

// The process ends in a release build as well, and what it says holds no text that input chose.
TEST(ResultDeathTest, TheValueOfAnErrorEndsTheProcess) {
  const Result<std::string> none = fail(ErrorCode::kBadHex, "SECRET");
  EXPECT_DEATH((void)none.value(), "holds the error encoding\\.bad_hex\n$");
  EXPECT_DEATH((void)none->size(), "encoding\\.bad_hex");
  EXPECT_DEATH((void)std::string(*Result<std::string>(none)), "encoding\\.bad_hex");
}

TEST(ResultDeathTest, TheErrorOfAValueEndsTheProcess) {
  const Result<int> some = 1;
  const Result<void> done;
  EXPECT_DEATH((void)some.error(), "holds none");
  EXPECT_DEATH((void)done.error(), "holds none");
}

}  // namespace
}  // namespace cloister
