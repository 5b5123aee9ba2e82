// WeightMeasurement: hashes the files of a model while something else loads them, after it has locked them in memory,
// so that what is hashed is what is loaded. It has threads of its own, of low priority.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/result.h"
#include "engine/weights/weight_files.h"
#include "engine/weights/weight_lock.h"
#include "evidence/model_identity.h"

namespace cloister::engine {

struct MeasureOptions {
  LockMode lock = LockMode::kOff;
  int threads = 0;  // 0: all cores
  bool low_priority = true;
  bool log_progress = true;  // for more than a gigabyte: a line every ten seconds
};

class WeightMeasurement {
 public:
  // Begins at once.
  WeightMeasurement(std::shared_ptr<const WeightFiles> files, MeasureOptions options);
  // Stops, and unlocks what was locked.
  ~WeightMeasurement();
  WeightMeasurement(const WeightMeasurement&) = delete;
  WeightMeasurement& operator=(const WeightMeasurement&) = delete;

  const WeightFiles& files() const { return *files_; }

  // Blocks until everything is locked, or it is certain that nothing will be: an Error with LockMode::kOn. Whoever
  // reads the files after this reads the pages that are hashed.
  Result<void> wait_locked();
  // Blocks until everything is hashed; an Error too when a file has changed meanwhile. Any thread, any number of times.
  Result<evidence::Weights> wait();
  // Makes both waits return kCancelled. Any thread.
  void stop();

 private:
  void run_lock();
  void run_hash();
  Result<evidence::Weights> hash_all();
  void log_progress(std::uint64_t total);

  const std::shared_ptr<const WeightFiles> files_;
  const MeasureOptions options_;
  const bool locks_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> hashed_bytes_{0};
  WeightLock lock_;

  std::mutex mutex_;  // guards the three members below
  std::condition_variable changed_;
  std::optional<Result<void>> locked_;
  std::optional<Result<evidence::Weights>> weights_;
  std::thread lock_thread_, hash_thread_, progress_thread_;
};

}  // namespace cloister::engine
