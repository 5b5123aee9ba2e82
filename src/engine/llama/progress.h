// Progress: tells whether the engine's thread advances, and ends its computation when the engine stops. One batch of
// long prompts may take a slow machine many seconds, so the thread gives a sign of life between the parts of a batch,
// not only between tokens.
#pragma once

#include <atomic>
#include <chrono>

struct llama_context;

namespace cloister::engine::llama {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  // This long without a sign of life while replies run is a stall. The longest part of a batch is one product of
  // matrices: some seconds on the slowest machine with the largest model.
  static constexpr std::chrono::seconds kStall{60};

  // `stopping` outlives this object.
  explicit Progress(const std::atomic<bool>& stopping) : stopping_(stopping) {}

  // From now on the computation of `context` counts as progress, and ends once the engine stops. This object outlives the context.
  void watch(llama_context* context);
  // Ends the computation of `context` as well, but does not count it as a sign of life of the engine's thread.
  void end_in_time(llama_context* context);

  // Any thread.
  void beat(Clock::time_point now = Clock::now()) { beat_.store(now.time_since_epoch(), std::memory_order_relaxed); }
  // Says that a reply runs, or that none does any more.
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
