#include "reports/report_jobs.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace cloister::reports {
namespace {

constexpr int kNiceness = 10;

// Lowers the priority of the calling thread alone, and does so once.
void give_way() {
  thread_local const int once = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);
  static_cast<void>(once);
}

}  // namespace

bool ReportJobs::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    ++jobs_;
  }
  const auto end = [this] {
    const std::lock_guard lock(mutex_);
    --jobs_;
    idle_.notify_all();
  };
  const bool posted = pool_.submit([this, job = std::move(job), end] {
    give_way();
    if (!is_stopping()) job();
    end();
  });
  if (!posted) end();
  return posted;
}

bool ReportJobs::is_stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void ReportJobs::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  idle_.wait(lock, [this] { return jobs_ == 0; });
}

}  // namespace cloister::reports
