#include "engine/dialect/json_text.h"

#include <array>
#include <cstdint>

namespace cloister::engine {
namespace {

// Bytes that cannot stand unchanged in a JSON string, or whose neighbours have to be checked.
constexpr std::array<bool, 256> make_special() {
  std::array<bool, 256> special{};
  for (std::size_t i = 0; i < 0x20; ++i) special[i] = true;
  for (std::size_t i = 0x7f; i < 256; ++i) special[i] = true;
  special['"'] = true;
  special['\\'] = true;
  return special;
}
constexpr std::array<bool, 256> kSpecial = make_special();

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

bool is_continuation(std::string_view text, std::size_t i) {
  return i < text.size() && (byte_at(text, i) & 0xc0) == 0x80;
}

// Length of the well-formed sequence at `i` (Unicode 15, table 3-7), or 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  std::uint8_t first = byte_at(text, i);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !is_continuation(text, i + 1)) return 0;
  if (first < 0xe0) return 2;
  std::uint8_t second = byte_at(text, i + 1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  if (!is_continuation(text, i + 2)) return 0;
  if (first < 0xf0) return 3;
  return is_continuation(text, i + 3) ? 4 : 0;
}

void append_escape(std::string& out, std::uint8_t byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    std::size_t plain = i;
    while (plain < text.size() && !kSpecial[byte_at(text, plain)]) ++plain;
    out.append(text.substr(i, plain - i));
    if (plain == text.size()) break;
    i = plain;
    std::uint8_t byte = byte_at(text, i);
    if (byte < 0x80 && byte != 0x7f) {
      append_escape(out, byte);
      ++i;
    } else if (std::size_t length = sequence_length(text, i); length > 0) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
  out += '"';
}

}  // namespace cloister::engine
