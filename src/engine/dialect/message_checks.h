// Checks the content of a request: messages, prompts, inputs, tools. Part of read_request_fields().
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

// Checks the conversation, prompt or input of the route: present, of the right shape, text only.
Result<void> check_input(Route route, const Json& body);
// Checks "tools" and "tool_choice" in the shape of the route.
Result<void> check_tools(Route route, const Json& body);

}  // namespace cloister::engine
