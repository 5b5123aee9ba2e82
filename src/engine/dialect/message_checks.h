// Checks of what a request asks about: messages, prompts, inputs, tools. Part of read_request_fields().
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

// The conversation, prompt or input of the route: there, of the right shape, text only.
Result<void> check_input(Route route, const Json& body);
// "tools" and "tool_choice" in the shape of the route.
Result<void> check_tools(Route route, const Json& body);

}  // namespace cloister::engine
