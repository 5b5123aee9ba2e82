#include "base/stop_deadline.h"

#include <unistd.h>

#include <utility>

namespace cloister {

StopDeadline::StopDeadline(std::chrono::milliseconds patience, int status, std::function<void()> last)
    : thread_([this, patience, status, last = std::move(last)] {
        {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, patience, [this] { return over_; })) return;
        }
        last();
        ::_exit(status);
      }) {}

StopDeadline::~StopDeadline() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

}  // namespace cloister
