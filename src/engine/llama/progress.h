// Progress: whether the engine's thread comes on, and the end of what it computes when the engine stops. One batch of long
// prompts may take a slow machine many seconds, so the thread gives a sign of life between the parts of a batch, not
// only between tokens.
#pragma once

#include <atomic>
#include <chrono>

struct llama_context;

namespace cloister::engine::llama {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  // So long without a sign of life while replies run is a stall. The longest part of a batch is one product of matrices:
  // some seconds of the slowest machine with the largest model.
  static constexpr std::chrono::seconds kStall{60};

  // `stopping` outlives it.
  explicit Progress(const std::atomic<bool>& stopping) : stopping_(stopping) {}

  // From now on what `context` computes counts, and is given up once the engine stops. It is outlived by this.
  void watch(llama_context* context);
  // Given up as well, but what it computes is no sign of life of the engine's thread.
  void end_in_time(llama_context* context);

  // Any thread.
  void beat(Clock::time_point now = Clock::now()) { beat_.store(now.time_since_epoch(), std::memory_order_relaxed); }
  // A reply runs, or none does any more.
  void set_busy(bool busy, Clock::time_point now = Clock::now());
  bool is_stalled(Clock::time_point now = Clock::now()) const;

 private:
  static bool on_part(void* self);
  static bool is_over(void* self);

  const std::atomic<bool>& stopping_;
  std::atomic<Clock::duration> beat_{};
  std::atomic<bool> busy_{false};
};

}  // namespace cloister::engine::llama
