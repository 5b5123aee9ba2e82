// WorkerPool: a few threads for slow work (quotes, evidence, parsing of large bodies), with a bounded queue.
// Event loops and the engine thread never wait for it: submit() refuses when the queue is full.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cloister {

class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue_limit);
  // Finishes the running jobs and drops the waiting ones.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `job` on some worker thread. Returns false when `queue_limit` jobs are waiting already. Any thread.
  [[nodiscard]] bool submit(std::function<void()> job);

 private:
  void run();

  const std::size_t queue_limit_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloister
