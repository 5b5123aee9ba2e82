// Token counts of a reply that passes by, as the server that made it says.
#pragma once

#include "codec/reply_words.h"
#include "engine/engine.h"

namespace cloister::engine::upstream {

// In OpenAI's words or Anthropic's; what is not there, or has two readings, stays zero or empty.
Outcome read_outcome(const codec::ReplyWords& words);

}  // namespace cloister::engine::upstream
