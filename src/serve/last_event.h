// Which server-sent event is the last of a stream, by the dialects' own words: clients take their reply for whole when they
// have it, so it must not overtake the receipt.
#pragma once

#include <string_view>

namespace cloister::serve {

// True when `piece`, which ends an event, ends with such a one: "[DONE]" of OpenAI's, message_stop of Anthropic's,
// response.completed, .failed and .incomplete of OpenAI's Responses. A look at the start of the last event.
bool ends_with_last_event(std::string_view piece);

}  // namespace cloister::serve
