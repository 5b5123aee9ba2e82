// WeightLock: keeps the pages of a model's files in memory. The host of a confidential VM owns its disks, and may
// answer other bytes when a page that was dropped is read again; a locked page is never read again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/weights/weight_files.h"

namespace cloister::engine {

// kAuto: lock where the system allows this process to lock so much, and three quarters of the memory hold it.
enum class LockMode { kAuto, kOn, kOff };

Result<LockMode> parse_lock_mode(const std::string& word);

class WeightLock {
 public:
  explicit WeightLock(std::shared_ptr<const WeightFiles> files) : files_(std::move(files)) {}
  // Unlocks the files.
  ~WeightLock();
  WeightLock(const WeightLock&) = delete;
  WeightLock& operator=(const WeightLock&) = delete;

  // Locks all files, from front to back, piece by piece. It reads from the disk what is not in memory yet, so it may
  // take long; `stop` ends it with kCancelled. kModelFile where the system refuses. Called once.
  Result<void> lock_all(const std::atomic<bool>& stop);

  // Blocks until the file's first `end` bytes are locked. Returns false when they never will be. Any thread.
  bool wait_for(std::size_t file, std::uint64_t end);
  // Says that no more will be locked, and wakes all waiting threads.
  void give_up();

 private:
  struct Mapping {
    void* address = nullptr;
    std::size_t size = 0;
  };
  Result<void> lock_file(std::size_t index, const std::atomic<bool>& stop);
  void release();

  const std::shared_ptr<const WeightFiles> files_;
  std::vector<Mapping> mappings_;
  std::mutex mutex_;  // guards the three members below
  std::condition_variable changed_;
  std::size_t file_ = 0;
  std::uint64_t locked_ = 0;  // bytes of file_
  bool gave_up_ = false;
};

// What kAuto decides for this many bytes.
bool may_lock(std::uint64_t size_bytes);

}  // namespace cloister::engine
