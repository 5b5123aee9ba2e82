// Token counts of a reply that passes by, as the server that made it says.
#pragma once

#include "codec/reply_words.h"
#include "engine/engine.h"

namespace cloister::engine::upstream {

// In OpenAI's words or Anthropic's. Counts that are not there, are no whole numbers, or have two readings leave all of them zero.
Outcome read_outcome(const codec::ReplyWords& words);

}  // namespace cloister::engine::upstream
