// Token counts of a reply that passes through, as the server that made it states them: the last "usage" object and the
// last finish reason in its text. The reply is not parsed as a whole: inside strings a quote is escaped, so no text of
// a model can look like such a member.
#pragma once

#include <string_view>

#include "engine/engine.h"

namespace cloister::engine::upstream {

// `text` is a JSON body, or the last events of a stream; it may begin anywhere. The members are OpenAI's or
// Anthropic's; missing ones stay zero or empty.
Outcome read_outcome(std::string_view text);

}  // namespace cloister::engine::upstream
