// A mutex that is granted in the order of asking. With an ordinary one, a thread that releases and takes it again in a
// loop (pruning, step by step) keeps other threads out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace cloister {

// For use with std::lock_guard and std::unique_lock.
class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_++;
    turn_.wait(lock, [&] { return serving_ == ticket; });
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      ++serving_;
    }
    turn_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable turn_;
  std::uint64_t next_ = 0;
  std::uint64_t serving_ = 0;
};

}  // namespace cloister
