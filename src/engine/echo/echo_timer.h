// EchoTimer: one thread and one heap that tell, for any number of replies, when the next piece is due.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

namespace cloister::engine {

using EchoTime = std::chrono::steady_clock::time_point;

// What the timer calls, on the timer's thread.
class EchoTask {
 public:
  virtual ~EchoTask() = default;
  // Does what is due. Returns the time of the next call, or EchoTime::max() when there is none.
  virtual EchoTime run(EchoTime due) = 0;
  // Called when the engine ends before the task did.
  virtual void abandon() = 0;
};

class EchoTimer {
 public:
  EchoTimer();
  // Abandons the tasks that are still waiting.
  ~EchoTimer();
  EchoTimer(const EchoTimer&) = delete;
  EchoTimer& operator=(const EchoTimer&) = delete;

  // Any thread.
  void add(EchoTime due, std::shared_ptr<EchoTask> task);

 private:
  struct Entry {
    EchoTime due;
    std::uint64_t order = 0;  // order of tasks that are due at the same time: first come, first served
    std::shared_ptr<EchoTask> task;
    bool operator<(const Entry& other) const { return due != other.due ? due > other.due : order > other.order; }
  };

  void loop();
  void take_due(EchoTime now, std::vector<Entry>& out);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::priority_queue<Entry> entries_;
  std::uint64_t next_order_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::engine
