#include "codec/json_members.h"

#include <algorithm>
#include <set>

#include "codec/folded_name.h"
#include "codec/json.h"
#include "codec/json_outline.h"

namespace cloister::codec {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Walks a text whose structure is known to be right.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  // Moves to the next character that is no white space and no separator of members; returns it.
  char next() {
    while (is_space(text_[at_]) || text_[at_] == ',' || text_[at_] == ':' || text_[at_] == '{') ++at_;
    return text_[at_];
  }
  // Takes the string with its quotes, from its opening quote, and moves past it.
  std::string_view take_string() {
    const std::size_t begin = at_++;
    while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // Takes the value after the colon and moves past it.
  std::string_view take_value() {
    while (is_space(text_[at_]) || text_[at_] == ':') ++at_;
    const std::size_t begin = at_;
    std::size_t depth = 0;
    for (bool ended = false; !ended;) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
      }
      ended = depth == 0 && (c == '"' || c == '}' || c == ']' || is_end_of_scalar(text_[at_]));
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool is_end_of_scalar(char c) { return is_space(c) || c == ',' || c == '}' || c == ']'; }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::string> name_in(std::string_view quoted) {
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  const Result<Json> value = parse_json(quoted);
  if (!value || !value->is_string()) return fail(ErrorCode::kBadJson, "the name of a member is no valid string");
  return value->get<std::string>();
}

}  // namespace

Result<std::vector<JsonMember>> read_members(std::string_view object_text) {
  JsonOutline outline({});
  outline.feed(object_text);
  if (!outline.whole()) return fail(ErrorCode::kBadJson, "expected a JSON object and nothing behind it");
  std::vector<JsonMember> members;
  std::set<std::string> names;
  Walker walker(object_text);
  while (walker.next() == '"') {
    if (members.size() == kMostMembers) {
      return fail(ErrorCode::kBadJson, "expected at most " + std::to_string(kMostMembers) + " members");
    }
    TRY(name, name_in(walker.take_string()));
    // Long names are cut: the message goes back to the caller, not to a log.
    if (!names.insert(folded_name(name)).second) {
      return fail(ErrorCode::kBadJson, "the member '" + name.substr(0, 64) + "' stands twice", name.substr(0, 64));
    }
    const std::string_view value = walker.take_value();
    members.push_back({std::move(name), value});
  }
  return members;
}

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const JsonMember& one) { return one.name == name; });
  return found == members.end() ? nullptr : &*found;
}

}  // namespace cloister::codec
