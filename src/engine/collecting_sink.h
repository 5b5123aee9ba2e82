// CollectingSink: collects one whole reply of an engine, for a caller that waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "engine/engine.h"

namespace cloister::engine {

class CollectingSink final : public ReplySink {
 public:
  void on_start(std::string_view) override {}
  void on_bytes(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
  }
  void on_end(const Outcome&, std::string_view last) override {
    on_bytes(last);
    end(std::nullopt);
  }
  void on_error(const Error& error) override { end(error); }

  // Blocks until the reply has ended.
  Result<std::string> wait() {
    std::unique_lock lock(mutex_);
    ended_cv_.wait(lock, [this] { return ended_; });
    return result();
  }
  // Returns kTimeout when the reply has not ended by then. The generation continues: the caller cancels it.
  Result<std::string> wait_for(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!ended_cv_.wait_for(lock, limit, [this] { return ended_; }))
      return fail(ErrorCode::kTimeout, "the engine did not answer in time");
    return result();
  }
  // Ends the wait with this error. Any thread.
  void abandon(const Error& error) { end(error); }

 private:
  Result<std::string> result() {
    if (error_) return *error_;
    return std::move(bytes_);
  }
  void end(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
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

}  // namespace cloister::engine
