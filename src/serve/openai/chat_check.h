// The parts of a chat request that have structure: messages, tools, response_format.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace cloister::serve {

Result<void> check_messages(const Json& body);
Result<void> check_tools(const Json& body);
Result<void> check_response_format(const Json& body);

}  // namespace cloister::serve
