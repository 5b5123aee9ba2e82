#include "engine/dialect/schema_reference.h"

namespace cloister::engine {

std::string pointer_text(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) {
    text += '/';
    for (const char c : token) {
      if (c == '~') {
        text += "~0";
      } else if (c == '/') {
        text += "~1";
      } else {
        text += c;
      }
    }
  }
  return text;
}

std::optional<std::vector<std::string>> reference_tokens(std::string_view reference) {
  if (!reference.starts_with("#/") || reference.find_first_of("~%") != std::string_view::npos) return std::nullopt;
  std::vector<std::string> tokens(1);
  for (const char c : reference.substr(2)) {
    if (c == '/') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

}  // namespace cloister::engine
