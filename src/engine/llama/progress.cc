#include "engine/llama/progress.h"

#include <algorithm>
#include <cstdint>

#include "engine/llama/prompt_pieces.h"
#include "engine/llama/sampling_share.h"
#include "llama.h"

namespace cloister::engine::llama {

void Progress::watch(llama_context* context) { llama_set_abort_callback(context, &Progress::on_part, this); }

void Progress::end_in_time(llama_context* context) { llama_set_abort_callback(context, &Progress::is_over, this); }

bool Progress::is_over(void* self) { return static_cast<Progress*>(self)->stopping_.load(std::memory_order_relaxed); }

// llama.cpp calls this for each part of a batch that the CPU computes: with a GPU, for the first part of each batch at least.
bool Progress::on_part(void* self) {
  static_cast<Progress*>(self)->beat();
  return is_over(self);
}

void Progress::set_busy(bool busy, Clock::time_point now) {
  if (busy && !busy_.load(std::memory_order_relaxed)) beat(now);  // the time before was idle
  busy_.store(busy, std::memory_order_release);
}

bool Progress::is_stalled(Clock::time_point now) const {
  if (!busy_.load(std::memory_order_acquire)) return false;
  return now.time_since_epoch() - beat_.load(std::memory_order_relaxed) > kStall;
}

}  // namespace cloister::engine::llama

namespace {

using cloister::engine::llama::PromptPieces;
using cloister::engine::llama::SamplingShares;

// A device computes on its own: a batch is computed when it was waited for.
void measure(PromptPieces& pieces, llama_context* context, const llama_batch& batch) {
  const bool has_output = batch.logits != nullptr &&
                          std::any_of(batch.logits, batch.logits + batch.n_tokens, [](auto each) { return each != 0; });
  if (!has_output) return pieces.on_queued();
  llama_synchronize(context);  // the scheduler does nothing else next
  pieces.on_computed(SamplingShares::instance().turns(context), static_cast<std::size_t>(batch.n_tokens));
}

}  // namespace

// The linker's --wrap. A batch that was given up returns 2, which the scheduler takes for a lack of memory and tries again in
// smaller pieces down to none; below -1 it ends what runs.
extern "C" {
std::int32_t __real_llama_decode(llama_context* context, llama_batch batch);

std::int32_t __wrap_llama_decode(llama_context* context, llama_batch batch) {
  constexpr std::int32_t kGivenUp = 2;
  constexpr std::int32_t kFailed = -3;
  PromptPieces* pieces = PromptPieces::of(context);
  if (pieces != nullptr) pieces->on_begun();
  const std::int32_t result = __real_llama_decode(context, batch);
  if (pieces != nullptr && result == 0) measure(*pieces, context, batch);
  return result == kGivenUp ? kFailed : result;
}
}
