// DeviceThread: one thread that calls a device's driver, one call after the other. Such a call can take seconds or
// never return, so callers wait for it with a limit, and calls beyond a small number are refused. A thread that hangs
// in the driver is left behind when its owner is destroyed, since nothing else can be done with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace cloister::gpu {

class DeviceThread {
 public:
  // `name` is used in errors: "the GPU driver". A caller waits at most `deadline`, including its time in the queue.
  DeviceThread(std::string name, std::size_t queue_limit, std::chrono::milliseconds deadline);
  // Drops the waiting calls and gives the running one a moment to end.
  ~DeviceThread();
  DeviceThread(const DeviceThread&) = delete;
  DeviceThread& operator=(const DeviceThread&) = delete;

  // Runs `work` on the thread and returns its result; kBusy when `queue_limit` calls are waiting already, kGpuFailed when
  // the call is not done in time. `work` may outlive the caller, so it must own what it uses. Any thread but this one.
  template <typename T>
  Result<T> call(std::function<Result<T>()> work) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> future = promise->get_future();
    TRY(job, submit([promise, work = std::move(work)] { promise->set_value(work()); },
                    [promise] { promise->set_value(fail(ErrorCode::kCancelled, "the node is stopping")); }));
    if (future.wait_for(deadline_) != std::future_status::ready) {
      abandon(*job);
      return late();
    }
    return future.get();
  }

 private:
  struct Job {
    std::function<void()> run, drop;
    bool abandoned = false;  // guarded by the state's lock
  };
  struct State {
    std::mutex mutex;
    std::condition_variable wake, ended;
    std::deque<std::shared_ptr<Job>> jobs;
    bool stopping = false;
    bool done = false;
  };
  Result<std::shared_ptr<Job>> submit(std::function<void()> run, std::function<void()> drop);
  void abandon(Job& job);
  Error late() const;
  static void loop(const std::shared_ptr<State>& state);

  const std::string name_;
  const std::size_t queue_limit_;
  const std::chrono::milliseconds deadline_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace cloister::gpu
