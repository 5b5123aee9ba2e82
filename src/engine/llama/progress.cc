#include "engine/llama/progress.h"

#include <cstdint>

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

// Targets of the linker's --wrap. A batch that was given up returns 2, which the scheduler takes for a lack of memory,
// and it tries again in smaller pieces down to none; below -1 it ends what is running.
extern "C" {
std::int32_t __real_llama_decode(llama_context* context, llama_batch batch);

std::int32_t __wrap_llama_decode(llama_context* context, llama_batch batch) {
  constexpr std::int32_t kGivenUp = 2;
  constexpr std::int32_t kFailed = -3;
  const std::int32_t result = __real_llama_decode(context, batch);
  return result == kGivenUp ? kFailed : result;
}
}
