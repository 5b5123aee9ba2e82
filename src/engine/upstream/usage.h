// Token counts of a reply that passes by, as the server that made it says: the last "usage" object and the last finish reason
// in its text. The reply is not parsed as a whole: inside of strings a quote is escaped, so no text of a model can look like
// such a member.
#pragma once

#include <string_view>

#include "engine/engine.h"

namespace cloister::engine::upstream {

// `text` is a JSON body, or the last events of a stream; it may begin anywhere. In OpenAI's words or Anthropic's; what is
// not there stays zero or empty.
Outcome read_outcome(std::string_view text);

}  // namespace cloister::engine::upstream
