// CollectingSink: one reply of an engine, whole, for a caller that waits.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "engine/engine.h"

namespace cloister::apps {

class CollectingSink final : public engine::ReplySink {
 public:
  void on_start(std::string_view) override {}
  void on_bytes(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
  }
  void on_end(const engine::Outcome&) override { end(std::nullopt); }
  void on_error(const Error& error) override { end(error); }

  // Blocks until the reply has ended.
  Result<std::string> wait() {
    std::unique_lock lock(mutex_);
    ended_cv_.wait(lock, [this] { return ended_; });
    if (error_) return *error_;
    return std::move(bytes_);
  }

 private:
  void end(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    ended_ = true;
    ended_cv_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_cv_;
  std::string bytes_;
  std::optional<Error> error_;
  bool ended_ = false;
};

}  // namespace cloister::apps
