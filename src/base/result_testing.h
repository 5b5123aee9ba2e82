// For tests: an input is refused, and for the expected reason.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "base/result.h"

namespace cloister::testing {

// True for an error whose message contains `reason`.
template <typename T>
::testing::AssertionResult is_refused(const Result<T>& result, std::string_view reason) {
  if (result) return ::testing::AssertionFailure() << "it was accepted; expected the refusal: " << reason;
  if (result.error().message.find(reason) != std::string_view::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "refused with: " << result.error().message << "; expected: " << reason;
}

}  // namespace cloister::testing

// `result` is an expression that gives a Result; `reason` is a part of the message that no other refusal nearby has.
#define EXPECT_REFUSED(result, reason) EXPECT_TRUE(::cloister::testing::is_refused((result), (reason)))
