// Decides when the next known-answer test is due, and what follows from the last one. Pure: the caller passes the time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "engine/known_answers/trial.h"

namespace cloister::engine {

class TrialSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit TrialSchedule(std::chrono::milliseconds every) : every_(every) {}

  struct Step {
    enum class What { kRepeat, kWait, kWithdraw };
    What what = What::kWait;
    std::chrono::milliseconds pause{0};  // pause of kWait
    std::string reason;                  // reason of kWithdraw
  };
  // A failed test is repeated once at once; the second failure in a row withdraws the model. An inconclusive test is tried again soon
  // and withdraws nothing, or a client that keeps the engine busy could close the node: everybody can see the age of the last success.
  Step after(const TrialOutcome& outcome, Time now);

  // At least as long as was asked for, and so long that the tests take at most 0.5 % of the time. The quickest test so
  // far counts, because a longer one has waited for the work of others.
  std::chrono::milliseconds interval() const;
  bool has_passed() const { return passed_.has_value(); }

 private:
  const std::chrono::milliseconds every_;
  std::optional<std::chrono::milliseconds> quickest_;
  std::optional<Time> passed_;
  bool failed_before_ = false;
};

}  // namespace cloister::engine
