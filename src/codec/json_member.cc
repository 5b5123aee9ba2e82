#include "codec/json_member.h"

namespace cloister::codec {
namespace {

// Walks text that parse_json has accepted, so that brackets and quotes are known to be balanced.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void step() { ++at_; }

  // The string at the cursor without its quotes, escapes left as they are.
  std::string_view string() {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    return text_.substr(begin, at_++ - begin);
  }

  // Takes the value at the cursor, of any type.
  TextSpan value() {
    skip_space();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        string();
        if (depth == 0) break;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;  // the end of a number or a word
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) break;
    }
    std::size_t end = at_;
    while (end > begin && is_space(text_[end - 1])) --end;
    return {begin, end - begin};
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<TextSpan> find_member_span(std::string_view text, std::string_view name) {
  Scanner scan(text);
  if (scan.peek() != '{') return std::nullopt;
  scan.step();
  while (scan.peek() == '"') {
    const std::string_view found = scan.string();
    scan.peek();  // ':'
    scan.step();
    const TextSpan value = scan.value();
    if (found == name) return value;
    if (scan.peek() == ',') scan.step();
  }
  return std::nullopt;
}

std::optional<std::string_view> find_member_text(std::string_view text, std::string_view name) {
  const auto span = find_member_span(text, name);
  if (!span) return std::nullopt;
  return text.substr(span->begin, span->size);
}

}  // namespace cloister::codec
