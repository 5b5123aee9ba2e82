#include "engine/weights/weight_watch.h"

#include <pthread.h>

namespace cloister::engine {

WeightWatch::WeightWatch(std::shared_ptr<const WeightFiles> files, std::chrono::milliseconds interval,
                         std::function<void(const Error&)> on_change)
    : files_(std::move(files)), interval_(interval), on_change_(std::move(on_change)), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "watch-model");
}

WeightWatch::~WeightWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void WeightWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return stopping_; })) {
    const Result<void> unchanged = files_->check_unchanged();
    if (unchanged) continue;
    lock.unlock();
    return on_change_(unchanged.error());
  }
}

}  // namespace cloister::engine
