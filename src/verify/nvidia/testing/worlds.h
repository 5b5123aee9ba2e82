// For tests only: worlds to copy, and what a change to one must cause. The test includes GoogleTest, before this header.
#pragma once

#include <string>

#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {

inline const GpuWorld& one_gpu() {
  static const GpuWorld made(1);
  return made;
}
inline const GpuWorld& two_gpus() {
  static const GpuWorld made(2);
  return made;
}

inline void expect_failing(const GpuWorld& world, const Ids& expected, const std::string& part = {}) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(failing(verdict), expected) << to_text(verdict, false);
  if (!part.empty() && expected.size() == 1) {
    EXPECT_NE(said(verdict, *expected.begin()).find(part), std::string::npos) << said(verdict, *expected.begin());
  }
}

inline void expect_missing(const GpuWorld& world, const Ids& expected) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(missing(verdict), expected) << to_text(verdict, false);
  EXPECT_EQ(failing(verdict), Ids{});
}

}  // namespace cloister::verify::testing
