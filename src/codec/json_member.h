// Cuts values out of JSON text that is hashed or signed as it stands in a document and must never be written anew.
#pragma once

#include <optional>
#include <string_view>

namespace cloister::codec {

// A part of a text: `text.substr(begin, size)`.
struct TextSpan {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// Finds the value of the member `name` of the object `text`, without the white space around it. `text` must be an
// object that parse_json() accepted. Absent when the object has no such member, or spells its name with escapes.
std::optional<TextSpan> find_member_span(std::string_view text, std::string_view name);
std::optional<std::string_view> find_member_text(std::string_view text, std::string_view name);

}  // namespace cloister::codec
