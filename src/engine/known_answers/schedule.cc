#include "engine/known_answers/schedule.h"

#include <algorithm>
#include <utility>

namespace cloister::engine {
namespace {

using std::chrono::milliseconds;

constexpr int kShare = 200;  // the tests may take one part in this many of the time
constexpr milliseconds kShortestRetry = std::chrono::milliseconds(200);
constexpr milliseconds kFirstRetry = std::chrono::seconds(1);  // no client is served yet
constexpr milliseconds kLongestRetry = std::chrono::seconds(10);

}  // namespace

milliseconds TrialSchedule::interval() const { return std::max(every_, quickest_.value_or(milliseconds(0)) * kShare); }

TrialSchedule::Step TrialSchedule::after(const TrialOutcome& outcome, Time now) {
  using What = Step::What;
  if (outcome.finding == Finding::kPassed) {
    failed_before_ = false;
    passed_ = now;
    quickest_ = std::min(quickest_.value_or(outcome.took), outcome.took);
    return {What::kWait, interval(), ""};
  }
  if (outcome.finding == Finding::kFailed) {
    if (!std::exchange(failed_before_, true)) return {What::kRepeat, milliseconds(0), ""};
    return {What::kWithdraw, milliseconds(0), outcome.reason};
  }
  return {What::kWait, passed_ ? std::clamp(interval() / 10, kShortestRetry, kLongestRetry) : kFirstRetry, ""};
}

}  // namespace cloister::engine
