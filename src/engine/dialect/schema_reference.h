// Names of nodes in a schema: JSON pointers, and references to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::engine {

// "/properties/a", with the escapes of RFC 6901.
std::string pointer_text(const std::vector<std::string>& tokens);
// The tokens of "#/a/b"; absent for a reference that the library does not follow, or reads differently.
std::optional<std::vector<std::string>> reference_tokens(std::string_view reference);

}  // namespace cloister::engine
