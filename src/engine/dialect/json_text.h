// Writes JSON text without a tree: for what is written once for each token.
#pragma once

#include <string>
#include <string_view>

namespace cloister::engine {

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that a model's output can
// never make a reply that is not JSON.
void append_json_string(std::string& out, std::string_view text);

}  // namespace cloister::engine
