// StopDeadline: ends the process when its parts have not ended in time. A process that was told to stop must not stay
// because one of its threads is in a long call of a library; otherwise whoever told it to stop would end it with a
// signal that leaves no time for anything.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace cloister {

class StopDeadline {
 public:
  // Unless this object is destroyed first, `last` runs after `patience` on a thread of its own, and then the process
  // ends with `status`, without running destructors. Everything that `last` uses outlives this object.
  StopDeadline(std::chrono::milliseconds patience, int status, std::function<void()> last);
  ~StopDeadline();
  StopDeadline(const StopDeadline&) = delete;
  StopDeadline& operator=(const StopDeadline&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace cloister
