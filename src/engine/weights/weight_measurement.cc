#include "engine/weights/weight_measurement.h"

#include <pthread.h>

#include <chrono>
#include <string>

#include "base/log.h"
#include "evidence/file_tree.h"

namespace cloister::engine {
namespace {

constexpr std::uint64_t kWorthALine = 1u << 30;
constexpr std::chrono::seconds kBetweenLines{10};

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

bool wants_lock(LockMode mode, std::uint64_t size_bytes) {
  return mode == LockMode::kOn || (mode == LockMode::kAuto && may_lock(size_bytes));
}

}  // namespace

WeightMeasurement::WeightMeasurement(std::shared_ptr<const WeightFiles> files, MeasureOptions options)
    : files_(std::move(files)),
      options_(options),
      locks_(wants_lock(options.lock, files_->size_bytes())),
      lock_(files_) {
  if (locks_) {
    lock_thread_ = std::thread([this] { run_lock(); });
    ::pthread_setname_np(lock_thread_.native_handle(), "lock-model");
  } else {
    locked_ = Result<void>();
  }
  hash_thread_ = std::thread([this] { run_hash(); });
  ::pthread_setname_np(hash_thread_.native_handle(), "hash-model");
  const std::uint64_t total = files_->size_bytes();
  if (options_.log_progress && total >= kWorthALine) {
    progress_thread_ = std::thread([this, total] { log_progress(total); });
    ::pthread_setname_np(progress_thread_.native_handle(), "hash-progress");
  }
}

WeightMeasurement::~WeightMeasurement() {
  stop();
  if (lock_thread_.joinable()) lock_thread_.join();
  hash_thread_.join();
  if (progress_thread_.joinable()) progress_thread_.join();
}

void WeightMeasurement::stop() {
  stop_ = true;
  lock_.give_up();
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void WeightMeasurement::run_lock() {
  Result<void> locked = lock_.lock_all(stop_);
  const std::lock_guard lock(mutex_);
  locked_ = std::move(locked);
  changed_.notify_all();
}

void WeightMeasurement::run_hash() {
  Result<evidence::Weights> weights = hash_all();
  const std::lock_guard lock(mutex_);
  weights_ = std::move(weights);
  changed_.notify_all();
}

Result<void> WeightMeasurement::wait_locked() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || locked_; });
  if (stop_ || !locked_) return fail(ErrorCode::kCancelled, "the measurement was stopped");
  if (*locked_ || options_.lock == LockMode::kOn) return *locked_;
  return {};
}

Result<evidence::Weights> WeightMeasurement::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || weights_; });
  if (!weights_) return fail(ErrorCode::kCancelled, "the measurement was stopped");
  return *weights_;
}

// Hashes after the lock, where there is one: a hash of a page that could still be dropped proves nothing.
Result<evidence::Weights> WeightMeasurement::hash_all() {
  const auto begun = std::chrono::steady_clock::now();
  TRY_VOID(files_->check_unchanged());
  evidence::Weights weights;
  std::atomic<bool> fell_back{!locks_};
  for (std::size_t i = 0; i < files_->files().size(); ++i) {
    const WeightFiles::File& file = *files_->files()[i];
    evidence::FileTreeOptions options;
    options.threads = options_.threads;
    options.low_priority = options_.low_priority;
    options.done = &hashed_bytes_;
    options.stop = &stop_;
    if (locks_) {
      options.may_read = [this, i, &fell_back](std::uint64_t end) {
        if (fell_back || lock_.wait_for(i, end)) return true;
        // The system refused. With LockMode::kOn there is no digest; otherwise the rest is hashed without a lock.
        if (stop_ || options_.lock == LockMode::kOn) return false;
        fell_back = true;
        return true;
      };
    }
    Result<ByteArray<32>> digest = evidence::hash_file_tree(file.fd.get(), file.state.size, options);
    if (!digest) {
      if (digest.error().code == ErrorCode::kCancelled) return digest.error();
      return fail(ErrorCode::kModelFile, "model file " + file.name + ": " + digest.error().message, file.name);
    }
    weights.files.push_back({evidence::identity_text(file.name), file.state.size, *digest});
  }
  TRY_VOID(files_->check_unchanged());
  weights.locked = !fell_back;
  weights.digest = evidence::weights_digest(weights.files);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  log::info("model files hashed files=" + std::to_string(weights.files.size()) +
            " size=" + mebibytes(files_->size_bytes()) + " ms=" + std::to_string(took.count()) +
            " memory=" + (weights.locked ? "locked" : "paged"));
  return weights;
}

void WeightMeasurement::log_progress(std::uint64_t total) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kBetweenLines, [this] { return stop_ || weights_; })) {
    log::info("hashing the model files done=" + mebibytes(hashed_bytes_) + " of=" + mebibytes(total));
  }
}

}  // namespace cloister::engine
