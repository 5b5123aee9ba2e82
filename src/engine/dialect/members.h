// Members of a request, read as these dialects mean them. Pure functions; any thread.
#pragma once

#include <string>

#include "base/json.h"

namespace cloister::engine {

// Returns the member, or null when it is missing or JSON null: both mean "default" in these dialects.
const Json* find_member(const Json& object, const char* name);

// Returns the member as text; empty when it is missing or not a string.
std::string text_member(const Json& object, const char* name);

// Returns the text of a message's content: a string, or the text parts joined. Empty for anything else.
std::string content_text(const Json& content);

}  // namespace cloister::engine
