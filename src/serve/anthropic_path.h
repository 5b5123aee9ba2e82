// Which paths answer in the form of Anthropic's API.
#pragma once

#include <string_view>

namespace cloister::serve {

// Errors below Anthropic's routes have Anthropic's form, whether or not an endpoint exists.
inline bool is_anthropic_path(std::string_view path) {
  return path == "/v1/messages" || path.starts_with("/v1/messages/");
}

}  // namespace cloister::serve
