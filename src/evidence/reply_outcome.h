// How a reply ended, as the engine tells it and the receipt repeats it.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace cloister::evidence {

struct TokenUsage {
  std::uint64_t prompt_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t completion_tokens = 0;
  std::uint64_t reasoning_tokens = 0;  // part of the completion's tokens; 0 where the engine does not tell
};

struct ReplyOutcome {
  std::string finish_reason;  // "stop", "length", "tool_calls", "" where the route has none
  TokenUsage usage;
  // The sampling parameters in effect, not as asked: {"temperature","top_p","top_k","min_p","max_tokens","seed",...};
  // null where the engine cannot tell. Integers and texts only, for canonical JSON: fractions are decimal texts.
  Json sampling;

  // False where nothing was counted, as with servers that do not tell: a reply has tokens, or its prompt had some.
  bool metered() const { return usage.prompt_tokens != 0 || usage.completion_tokens != 0; }
};

}  // namespace cloister::evidence
