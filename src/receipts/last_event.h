// Recognises the last server-sent event of a stream, by the dialects' own words: clients take their reply as complete
// when they have it, so it must not be sent before the receipt is stored.
#pragma once

#include <string_view>

namespace cloister::receipts {

// True when `piece`, which ends an event, ends with a last event: "[DONE]" of OpenAI's, message_stop of Anthropic's,
// response.completed, .failed and .incomplete of OpenAI's Responses. It reads only the start of the last event.
bool ends_with_last_event(std::string_view piece);

}  // namespace cloister::receipts
