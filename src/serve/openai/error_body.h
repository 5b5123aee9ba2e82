// Error replies in the shape that the official SDKs of each dialect parse.
#pragma once

#include "base/result.h"
#include "engine/engine.h"
#include "http/message.h"

namespace cloister::serve {

// {"error":{"message","type","param","code"}}; Anthropic's {"type":"error","error":{"type","message"}} for /v1/messages.
std::string error_body(const Error& error, bool anthropic_dialect);
http::Response error_response(const Error& error, bool anthropic_dialect = false);
// The same error inside a stream that has begun: one SSE event.
std::string error_event(const Error& error, bool anthropic_dialect);

}  // namespace cloister::serve
