// The members of one JSON object as texts, for a body that is passed on without being parsed: the names decide what another server
// will find in the body, and the values are not parsed. Pure function; any thread; one pass over the text that copies names only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::codec {

struct JsonMember {
  std::string name;        // without escapes
  std::string_view value;  // the text of the value, a part of the text that was read
};

inline constexpr std::size_t kMostMembers = 256;

// Returns the members of the outermost object, in order. The structure is checked as codec/json_outline.h does; numbers and
// literals are not checked. Errors (kBadJson): no object, text after it, a name that occurs twice or twice except for the case
// of its letters (servers differ in which one they use), a name that is no valid string, more than kMostMembers members.
Result<std::vector<JsonMember>> read_members(std::string_view object_text);

// Returns the member of that name; null when there is none.
const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name);

}  // namespace cloister::codec
