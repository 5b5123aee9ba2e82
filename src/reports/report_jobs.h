// ReportJobs: work on a pool that its owner can wait for, at a low priority: a report can wait, a token cannot.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>

#include "base/worker_pool.h"

namespace cloister::reports {

class ReportJobs {
 public:
  // The pool outlives this object.
  explicit ReportJobs(WorkerPool& pool) : pool_(pool) {}
  ~ReportJobs() { stop(); }
  ReportJobs(const ReportJobs&) = delete;
  ReportJobs& operator=(const ReportJobs&) = delete;

  // False when the pool has no room, or after stop(). Any thread.
  [[nodiscard]] bool post(std::function<void()> job);
  // Drops waiting jobs; returns when the running one has ended. Must not be called from a job.
  void stop();

 private:
  bool is_stopping();

  WorkerPool& pool_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t jobs_ = 0;  // number of jobs in the pool
  bool stopping_ = false;
};

}  // namespace cloister::reports
