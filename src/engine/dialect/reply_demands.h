// Members of a request that would change the reply and that no embedded engine follows. They are refused by name: if
// they were ignored in silence, the reply would not be what was asked for.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

// A member with a value that means "not asked for" (null, false, 0, an empty list) is accepted. Otherwise kUnsupported,
// with the member's name.
Result<void> check_reply_demands(Route route, const Json& body);

}  // namespace cloister::engine
