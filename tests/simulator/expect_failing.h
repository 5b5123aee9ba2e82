// The tables of tampered reports use this. Each report must fail exactly the checks that its row names, and nothing may
// accept it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulator/simulated_node.h"
#include "verify/check_list.h"

namespace cloister::testing {

using Ids = std::set<std::string>;

struct Tampering {
  std::string name;
  std::function<void(Case&)> change;
  Ids failing;
};

// Returns the ids of the checks in this state.
inline Ids ids_in(const verify::Verdict& verdict, verify::State state) {
  Ids out;
  for (const verify::Check& check : verdict.checks) {
    EXPECT_NE(verify::find_meaning(check.id), nullptr) << check.id << " is not in checks.def";
    if (check.state == state) out.insert(check.id);
  }
  return out;
}

inline void expect_failing(const std::vector<Tampering>& tamperings, const Ask& ask = test_ask()) {
  const Case genuine = genuine_case(ask);
  const verify::Verdict accepted = genuine.judge();
  ASSERT_EQ(accepted.outcome(), verify::Outcome::kAccepted) << to_text(accepted, false);
  for (const Tampering& tampering : tamperings) {
    Case changed = genuine;
    tampering.change(changed);
    const verify::Verdict verdict = changed.judge();
    EXPECT_EQ(verdict.outcome(), verify::Outcome::kRejected) << tampering.name;
    EXPECT_EQ(ids_in(verdict, verify::State::kFail), tampering.failing) << tampering.name << "\n"
                                                                        << to_text(verdict, false);
  }
}

}  // namespace cloister::testing
