// AnswersWatch: tests a model with its known answers before the first prompt and on a timer, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engine/known_answers/schedule.h"
#include "engine/known_answers/trial.h"

namespace cloister::engine {

class AnswersWatch {
 public:
  struct Hooks {
    std::function<TrialOutcome()> test;                   // runs one test; blocks. Ends early once stop() was called
    std::function<void(const TrialOutcome&)> on_outcome;  // called for each test
    std::function<void(const std::string& reason)> on_withdraw;  // called once, and it is the last hook
    std::function<void()> stop_test;                             // interrupts `test`. Any thread
  };
  // Begins at once. The hooks are called on the thread of the watch, except the last.
  AnswersWatch(std::chrono::milliseconds every, Hooks hooks);
  // Stops the running test and waits for its end.
  ~AnswersWatch();
  AnswersWatch(const AnswersWatch&) = delete;
  AnswersWatch& operator=(const AnswersWatch&) = delete;

 private:
  void run();
  bool wait(std::chrono::milliseconds pause);
  bool is_stopping();

  const Hooks hooks_;
  TrialSchedule schedule_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::engine
