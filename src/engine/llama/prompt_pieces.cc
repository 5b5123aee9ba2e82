#include "engine/llama/prompt_pieces.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>

#include "engine/llama/sampling_share.h"
#include "llama.h"

namespace cloister::engine::llama {
namespace {

// A batch that takes longer than the one before counts for so much: something else may have had the processor.
constexpr double kWeight = 0.25;
// Prompts owe no more than so many of their pieces: the rest of a batch that took very long is forgotten.
constexpr double kMostPiecesOwed = 2;

std::mutex mutex;
std::map<const llama_context*, PromptPieces*>& watched() {
  static std::map<const llama_context*, PromptPieces*> all;
  return all;
}

}  // namespace

PromptPieces::~PromptPieces() {
  const std::lock_guard lock(mutex);
  if (context_ != nullptr) watched().erase(context_);
}

void PromptPieces::watch(const llama_context* context) {
  const std::lock_guard lock(mutex);
  context_ = context;
  watched()[context] = this;
}

PromptPieces* PromptPieces::of(const llama_context* context) {
  const std::lock_guard lock(mutex);
  const auto found = watched().find(context);
  return found == watched().end() ? nullptr : found->second;
}

std::size_t PromptPieces::piece() const {
  const double most = token_ > Seconds{0} ? kLongest / token_ : 0;
  if (most >= static_cast<double>(batch_tokens_)) return batch_tokens_;
  return std::min(std::max(static_cast<std::size_t>(most), kLeast), batch_tokens_);
}

bool PromptPieces::is_whole_short() const { return token_ > Seconds{0} && piece() == batch_tokens_; }

std::size_t PromptPieces::limit(const Turns& turns) const {
  if (!turns.is_shared || is_whole_short()) return batch_tokens_;
  // The scheduler adds no prompt to a batch that is full.
  if (debt_ > Seconds{0}) return std::max<std::size_t>(turns.decoding_sequences, 1);
  return std::min(turns.decoding_sequences + piece(), batch_tokens_);
}

void PromptPieces::on_computed(const Turns& turns, std::size_t tokens, Clock::time_point now) {
  const Seconds took = now - begun_;
  if (queued_) {
    queued_ = false;
    return;
  }
  const std::size_t prompt_tokens = tokens - std::min(tokens, turns.decoding_sequences);
  if (turns.decoding_clients == 0) debt_ = Seconds{0};
  if (prompt_tokens == 0) {
    // Prompts have as much of the time as those who decode, and more where they are of more clients.
    const double prompts = static_cast<double>(turns.reading_clients) /
                           static_cast<double>(std::max<std::size_t>(turns.decoding_clients, 1));
    // What is paid too much counts for the next piece.
    if (debt_ > Seconds{0}) debt_ -= took * std::max(prompts, 1.0);
    return;
  }
  learn(prompt_tokens, took);
  if (!turns.is_shared || is_whole_short()) return;
  const Seconds most = std::max(kLongest, token_ * static_cast<double>(kLeast)) * kMostPiecesOwed;
  debt_ = std::min(debt_ + took, most);
}

// What a batch takes whatever is in it counts as time of its tokens, so that few of them seem slower than many: they
// count when they were as many as a piece is, or faster all the same. From a small piece the next ones grow to the
// right size.
void PromptPieces::learn(std::size_t prompt_tokens, Seconds took) {
  const Seconds token = took / static_cast<double>(prompt_tokens);
  if (token_ <= Seconds{0} || token < token_) {
    token_ = token;
  } else if (prompt_tokens >= piece()) {
    token_ += (token - token_) * kWeight;
  }
}

namespace {

std::uint32_t within_limit(const llama_context* context, std::uint32_t real) {
  const PromptPieces* pieces = PromptPieces::of(context);
  if (pieces == nullptr) return real;
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(real, pieces->limit(SamplingShares::instance().turns(context))));
}

}  // namespace
}  // namespace cloister::engine::llama

// The linker's --wrap.
extern "C" {
std::uint32_t __real_llama_n_batch(const llama_context* context);
std::uint32_t __real_llama_n_ubatch(const llama_context* context);

std::uint32_t __wrap_llama_n_batch(const llama_context* context) {
  return cloister::engine::llama::within_limit(context, __real_llama_n_batch(context));
}

std::uint32_t __wrap_llama_n_ubatch(const llama_context* context) {
  return cloister::engine::llama::within_limit(context, __real_llama_n_ubatch(context));
}
}
