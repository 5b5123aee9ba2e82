// The vocabulary of request checks: one small function a rule, composed in tables by request_check.cc.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::serve {

Error invalid_parameter(std::string_view name, std::string message);
// "a string", "an array" ...: what a client sent, by type and never by value.
std::string_view type_name(const Json& value);

// Each is satisfied when the member is absent or null.
Result<void> want_string(const Json& object, std::string_view name);
Result<void> want_boolean(const Json& object, std::string_view name);
Result<void> want_object(const Json& object, std::string_view name);
Result<void> want_array(const Json& object, std::string_view name);
Result<void> want_integer(const Json& object, std::string_view name, std::int64_t least, std::int64_t most);
Result<void> want_number(const Json& object, std::string_view name, double least, double most);
Result<void> want_one_of(const Json& object, std::string_view name, std::initializer_list<std::string_view> words);

// Present and not null.
const Json* present(const Json& object, std::string_view name);

}  // namespace cloister::serve
