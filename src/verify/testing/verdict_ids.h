// For tests only: the ids of a verdict's checks by their state.
#pragma once

#include <set>
#include <string>

#include "verify/check_list.h"
#include "verify/verdict.h"

namespace cloister::testing {

using Ids = std::set<std::string>;

inline Ids ids_in(const verify::Verdict& verdict, verify::State state) {
  Ids out;
  for (const verify::Check& check : verdict.checks) {
    EXPECT_NE(verify::find_meaning(check.id), nullptr) << check.id << " is not in checks.def";
    if (check.state == state) out.insert(check.id);
  }
  return out;
}
inline Ids failing(const verify::Verdict& verdict) { return ids_in(verdict, verify::State::kFail); }

}  // namespace cloister::testing
