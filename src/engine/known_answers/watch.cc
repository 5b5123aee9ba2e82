#include "engine/known_answers/watch.h"

#include <pthread.h>

#include <utility>

namespace cloister::engine {

AnswersWatch::AnswersWatch(std::chrono::milliseconds every, Hooks hooks)
    : hooks_(std::move(hooks)), schedule_(every), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "known-answers");
}

AnswersWatch::~AnswersWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  hooks_.stop_test();
  thread_.join();
}

bool AnswersWatch::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool AnswersWatch::wait(std::chrono::milliseconds pause) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, pause, [this] { return stopping_; });
}

void AnswersWatch::run() {
  using What = TrialSchedule::Step::What;
  while (!is_stopping()) {
    const TrialOutcome outcome = hooks_.test();
    if (is_stopping()) return;
    hooks_.on_outcome(outcome);
    const TrialSchedule::Step step = schedule_.after(outcome, std::chrono::steady_clock::now());
    if (step.what == What::kWithdraw) return hooks_.on_withdraw(step.reason);
    if (step.what == What::kWait && !wait(step.pause)) return;
  }
}

}  // namespace cloister::engine
