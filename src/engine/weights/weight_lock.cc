#include "engine/weights/weight_lock.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cloister::engine {
namespace {

// Locked at once: long enough for read-ahead, short enough for the following steps to begin.
constexpr std::uint64_t kPiece = 32u << 20;

}  // namespace

Result<LockMode> parse_lock_mode(const std::string& word) {
  if (word == "auto") return LockMode::kAuto;
  if (word == "on") return LockMode::kOn;
  if (word == "off") return LockMode::kOff;
  return fail(ErrorCode::kUsage, "--lock-model is auto, on or off, not '" + word + "'", "lock-model");
}

bool may_lock(std::uint64_t size_bytes) {
  struct sysinfo memory {};
  if (::sysinfo(&memory) != 0) return false;
  const std::uint64_t total = std::uint64_t{memory.totalram} * memory.mem_unit;
  return size_bytes <= total / 4 * 3;
}

WeightLock::~WeightLock() { release(); }

void WeightLock::release() {
  for (const Mapping& mapping : mappings_) ::munmap(mapping.address, mapping.size);
  mappings_.clear();
}

Result<void> WeightLock::lock_file(std::size_t index, const std::atomic<bool>& stop) {
  const WeightFiles::File& file = *files_->files()[index];
  const std::uint64_t size = file.state.size;
  if (size == 0) return {};
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd.get(), 0);
  if (address == MAP_FAILED) {
    return fail(ErrorCode::kModelFile, "model file " + file.name + " cannot be mapped: " + std::strerror(errno));
  }
  mappings_.push_back({address, size});
  for (std::uint64_t at = 0; at < size;) {
    if (stop) return fail(ErrorCode::kCancelled, "locking was stopped");
    const std::uint64_t piece = std::min(kPiece, size - at);
    if (::mlock(static_cast<char*>(address) + at, piece) != 0) {
      return fail(ErrorCode::kModelFile, "model file " + file.name +
                                             " cannot be locked in memory: " + std::strerror(errno) +
                                             " (the limit on locked memory, RLIMIT_MEMLOCK, must hold it)");
    }
    at += piece;
    const std::lock_guard lock(mutex_);
    locked_ = at;
    changed_.notify_all();
  }
  return {};
}

Result<void> WeightLock::lock_all(const std::atomic<bool>& stop) {
  for (std::size_t i = 0; i < files_->files().size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      file_ = i;
      locked_ = 0;
    }
    if (Result<void> locked = lock_file(i, stop); !locked) {
      give_up();
      release();
      return locked;
    }
  }
  const std::lock_guard lock(mutex_);
  file_ = files_->files().size();
  changed_.notify_all();
  return {};
}

bool WeightLock::wait_for(std::size_t file, std::uint64_t end) {
  std::unique_lock lock(mutex_);
  const auto is_locked = [&] { return file < file_ || (file == file_ && locked_ >= end); };
  changed_.wait(lock, [&] { return gave_up_ || is_locked(); });
  return is_locked();
}

void WeightLock::give_up() {
  const std::lock_guard lock(mutex_);
  gave_up_ = true;
  changed_.notify_all();
}

}  // namespace cloister::engine
