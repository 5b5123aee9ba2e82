// ReportJobs: work on a pool that its owner can wait for, at a low priority: making a report can wait, a token cannot.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

#include "base/worker_pool.h"

namespace cloister::serve {

class ReportJobs {
 public:
  // The pool outlives it.
  explicit ReportJobs(WorkerPool& pool) : pool_(pool) {}
  ~ReportJobs() { stop(); }
  ReportJobs(const ReportJobs&) = delete;
  ReportJobs& operator=(const ReportJobs&) = delete;

  // False when the pool has no room, or after stop(). Any thread.
  [[nodiscard]] bool post(std::function<void()> job);
  // Jobs that wait are dropped; returns when the one that runs has ended. Not from a job.
  void stop();

 private:
  bool is_stopping();

  WorkerPool& pool_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t jobs_ = 0;  // in the pool
  bool stopping_ = false;
};

}  // namespace cloister::serve
