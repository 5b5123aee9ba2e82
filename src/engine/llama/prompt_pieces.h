// PromptPieces: how many tokens of prompts the scheduler computes at once while others wait for their next token.
// Whoever decodes gets one token a batch, so a batch of 512 tokens of somebody's prompt is what each of these tokens
// waits for: seconds on a CPU. So while a client decodes, prompts of other clients are computed in pieces that last a
// bounded time, by what batches have taken so far, and in turns with batches that hold no prompt, so that either side
// has its share of the time. Where a whole batch takes no longer than a piece may, as on a GPU, and where nobody else
// decodes, nothing changes.
//
// The linker sends the scheduler's calls of llama_n_batch and llama_n_ubatch here (cmake/llama.cmake). The first is how
// the scheduler asks how many tokens a batch may hold, the second how close to the end of a prompt it keeps states of
// models that cannot forget single tokens. Other contexts, and the scheduler's own while it is made, are told what is
// true.
#pragma once

#include <chrono>
#include <cstddef>

#include "engine/llama/turns.h"

struct llama_context;

namespace cloister::engine::llama {

// On the engine's thread, except where something else is said.
class PromptPieces {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  // So long may a batch with a piece of a prompt last.
  static constexpr Seconds kLongest{0.1};
  // No piece is smaller: with fewer tokens the weights are read again for too little.
  static constexpr std::size_t kLeast = 16;

  // `batch_tokens`: what the scheduler was set up for.
  explicit PromptPieces(std::size_t batch_tokens) : batch_tokens_(batch_tokens) {}
  ~PromptPieces();
  PromptPieces(const PromptPieces&) = delete;
  PromptPieces& operator=(const PromptPieces&) = delete;

  // From now on this decides about the batches of `context`, which outlives it. Any thread.
  void watch(const llama_context* context);
  // Null where the context is not the scheduler's. Any thread; valid as long as the engine.
  static PromptPieces* of(const llama_context* context);

  // How many tokens the next batch may hold, those that are decoded included. At least one.
  std::size_t limit(const Turns& turns) const;

  // A batch is computed, from the first of these to the second, in which all is as `turns` says.
  void on_begun(Clock::time_point now = Clock::now()) { begun_ = now; }
  void on_computed(const Turns& turns, std::size_t tokens, Clock::time_point now = Clock::now());
  // In place of the second: the batch may be computed later, so that nobody knows how long it takes.
  void on_queued() { queued_ = true; }

 private:
  std::size_t piece() const;
  // The time of a whole batch is short enough for everybody.
  bool is_whole_short() const;
  void learn(std::size_t prompt_tokens, Seconds took);

  const std::size_t batch_tokens_;
  const llama_context* context_ = nullptr;
  Clock::time_point begun_;
  bool queued_ = false;  // something that was computed later may be in the next measure
  Seconds token_{0};     // what a token of a prompt takes; 0: not known yet
  Seconds debt_{0};      // time that prompts have had and those who decode have not
};

}  // namespace cloister::engine::llama
