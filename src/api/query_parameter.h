// Parameters of a query that decide what is proven. Pure function; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::api {

// The value of this parameter; absent when there is none. kInvalidRequest when it occurs twice: of two nonces one would
// be ignored.
Result<std::optional<std::string>> query_parameter(std::string_view query, std::string_view name);

}  // namespace cloister::api
