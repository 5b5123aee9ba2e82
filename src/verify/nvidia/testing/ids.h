// For tests only: the checks of a verdict by their state. The test includes GoogleTest, before this.
#pragma once

#include <set>
#include <string>

#include "verify/check_list.h"
#include "verify/verdict.h"

namespace cloister::verify::testing {

using Ids = std::set<std::string>;

inline Ids ids(const Verdict& verdict, State state) {
  Ids out, all;
  for (const Check& check : verdict.checks) {
    EXPECT_NE(find_meaning(check.id), nullptr) << check.id << " is not in checks.def";
    EXPECT_TRUE(all.insert(check.id).second) << check.id << " is there twice";
    if (check.state == state) out.insert(check.id);
  }
  return out;
}

inline Ids failing(const Verdict& verdict) { return ids(verdict, State::kFail); }

// Skipped and required.
inline Ids missing(const Verdict& verdict) {
  Ids out;
  for (const std::string& id : ids(verdict, State::kSkipped)) {
    if (verdict.find(id)->required) out.insert(id);
  }
  return out;
}

// The text of the check: its detail, expected and actual.
inline std::string said(const Verdict& verdict, const std::string& id) {
  const Check* check = verdict.find(id);
  return check == nullptr ? "no such check" : check->detail + "|" + check->expected + "|" + check->actual;
}

}  // namespace cloister::verify::testing
