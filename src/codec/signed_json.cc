#include "codec/signed_json.h"

#include "codec/json.h"

namespace cloister::codec {
namespace {

constexpr JsonLimits kLimits{1u << 20, 16, 1u << 17};

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

  // The value at the cursor, whatever it is.
  std::string_view value() {
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
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_space() {
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_);
    at_ = next == std::string_view::npos ? text_.size() : next;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<SignedJson> split_signed_json(std::string_view body, std::string_view member) {
  TRY(object, parse_json(body, kLimits));
  TRY_VOID(object_member(object, member));
  TRY(signature, string_member(object, "signature"));
  if (object.size() != 2) {
    return fail(ErrorCode::kBadJson, "expected the members `" + std::string(member) + "` and `signature`, got " +
                                         std::to_string(object.size()) + " members");
  }
  Scanner scan(body);
  for (scan.peek(), scan.step(); scan.peek() == '"';) {
    const std::string_view name = scan.string();
    scan.peek();  // ':'
    scan.step();
    const std::string_view value = scan.value();
    if (name == member) return SignedJson{std::string(value), std::move(signature)};
    if (scan.peek() == ',') scan.step();
  }
  return fail(ErrorCode::kBadJson, "the name `" + std::string(member) + "` is not spelled plainly");
}

}  // namespace cloister::codec
