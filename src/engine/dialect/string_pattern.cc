#include "engine/dialect/string_pattern.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "engine/dialect/character_set.h"

namespace cloister::engine {
namespace {

constexpr std::size_t kMaxBytes = 1024;
constexpr std::size_t kMaxRepetitions = 2000;  // the library ignores a larger bound
constexpr int kMaxDepth = 16;

const CharacterSet& digits() {
  static const CharacterSet set = {{'0', '9'}};
  return set;
}

const CharacterSet& word_characters() {
  static const CharacterSet set = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return set;
}

// WhiteSpace and LineTerminator of ECMA-262.
const CharacterSet& spaces() {
  static const CharacterSet set = {{0x9, 0xd},       {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680},
                                   {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                                   {0x3000, 0x3000}, {0xfeff, 0xfeff}};
  return set;
}

const CharacterSet& line_ends() {
  static const CharacterSet set = {{0xa, 0xa}, {0xd, 0xd}, {0x2028, 0x2029}};
  return set;
}

// Characters that cannot stand unchanged in a JSON string, characters that the library's own strings leave out, and
// halves of surrogate pairs, which are no text.
const CharacterSet& not_plain() {
  static const CharacterSet set = {{0, 0x1f}, {'"', '"'}, {'\\', '\\'}, {0x7f, 0x7f}, {0xd800, 0xdfff}};
  return set;
}

Error not_taken(std::string what) { return fail(ErrorCode::kUnsupported, std::move(what)); }

// One function for each level of the syntax. Each appends to out_.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(text) {}

  Result<ExactPattern> read() {
    if (text_.size() > kMaxBytes) return not_taken("it has more than 1,024 bytes");
    if (!take('^')) return not_taken("it is not anchored with ^ and $");
    TRY(whole, sequence(0));
    if (left() && peek() == '|') return not_taken("alternatives have to stand in a group, as in ^(?:a|b)$");
    if (left() && peek() == ')') return not_taken("a parenthesis is closed that was not opened");
    if (whole.size == 0) return not_taken("it matches nothing but the empty string");
    if (!take('$') || left()) return not_taken("it is not anchored with ^ and $");
    return ExactPattern{"^" + out_ + "$", whole.size};
  }

 private:
  struct Part {
    std::size_t size = 0;
    bool can_be_empty = true;
  };

  bool left() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (!left() || peek() != c) return false;
    ++at_;
    return true;
  }

  // Reads up to the end of the group or of the pattern.
  Result<Part> sequence(int depth) {
    Part all;
    while (left() && peek() != '|' && peek() != ')' && peek() != '$') {
      const std::size_t begin = out_.size();
      TRY(part, peek() == '(' ? group(depth) : character());
      TRY(repeated, quantifier(part));
      all.size += repeated.size;
      all.can_be_empty = all.can_be_empty && repeated.can_be_empty;
      if (all.size > kMaxRepetitions) return not_taken("its repetitions written out have more than 2,000 parts");
      if (out_.size() == begin) return not_taken("it is not a regular expression");
    }
    return all;
  }

  Result<Part> group(int depth) {
    if (depth == kMaxDepth) return not_taken("its groups are nested more than 16 deep");
    take('(');
    if (take('?')) {
      if (!take(':')) return not_taken("a look around, a flag or a named group stands in it");
    }
    out_ += '(';
    Part all;
    all.can_be_empty = false;
    do {
      if (all.size != 0) out_ += '|';
      TRY(alternative, sequence(depth + 1));
      if (left() && peek() == '$') return not_taken("an anchor stands within it");
      if (alternative.size == 0) return not_taken("an empty alternative stands in it");
      all.size += alternative.size;
      all.can_be_empty = all.can_be_empty || alternative.can_be_empty;
    } while (take('|'));
    if (!take(')')) return not_taken("a parenthesis is not closed");
    out_ += ')';
    if (all.size > kMaxRepetitions) return not_taken("its repetitions written out have more than 2,000 parts");
    return all;
  }

  Result<Part> character() {
    CharacterSet set;
    const char c = peek();
    if (c == '[') {
      TRY(found, class_of_characters());
      set = std::move(found);
    } else if (c == '.') {
      ++at_;
      set = line_ends().complement();
    } else if (c == '\\') {
      TRY(found, escape());
      set = std::move(found);
    } else if (c == '^' || c == '*' || c == '+' || c == '?' || c == '{' || c == '}' || c == ']') {
      return not_taken(c == '^' ? "an anchor stands within it" : "a quantifier or a bracket stands alone in it");
    } else {
      TRY(point, code_point());
      set.add(point, point);
    }
    set = set.without(not_plain());
    if (set.empty()) return not_taken("it needs a character that a JSON string writes as an escape");
    out_ += set.text();
    return Part{1, false};
  }

  Result<CharacterSet> class_of_characters() {
    take('[');
    const bool negated = take('^');
    CharacterSet set;
    while (left() && peek() != ']') {
      TRY(first, class_member());
      if (left() && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        take('-');
        TRY(last, class_member());
        if (!first.single || !last.single || *first.single > *last.single)
          return not_taken("a range in a class is not one");
        set.add(*first.single, *last.single);
      } else {
        set.add(first.set);
      }
    }
    if (!take(']')) return not_taken("a class is not closed");
    return negated ? set.complement() : set;
  }

  struct ClassMember {
    CharacterSet set;
    std::optional<std::uint32_t> single;
  };
  Result<ClassMember> class_member() {
    ClassMember member;
    if (peek() == '\\') {
      TRY(set, escape());
      member.set = std::move(set);
      member.single = escaped_;
      return member;
    }
    TRY(point, code_point());
    member.single = point;
    member.set.add(point, point);
    return member;
  }

  // Sets escaped_ where the escape stands for one character.
  Result<CharacterSet> escape() {
    take('\\');
    escaped_.reset();
    if (!left()) return not_taken("a backslash stands at its end");
    const char c = text_[at_++];
    switch (c) {
      case 'd': return digits();
      case 'D': return digits().complement();
      case 'w': return word_characters();
      case 'W': return word_characters().complement();
      case 's': return spaces();
      case 'S': return spaces().complement();
      case 'x': return hexadecimal(2);
      case 'u': return hexadecimal(4);
      default: break;
    }
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (letter || static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      return not_taken("an escape stands in it that is none of \\d \\D \\w \\W \\s \\S \\x \\u and punctuation");
    }
    escaped_ = static_cast<std::uint32_t>(c);
    return CharacterSet{{*escaped_, *escaped_}};
  }

  Result<CharacterSet> hexadecimal(int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = left() ? text_[at_++] : ' ';
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return not_taken("an escape of a character's number is not complete");
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    if (value >= 0xd800 && value <= 0xdfff) return not_taken("half of a pair of surrogates stands in it");
    escaped_ = value;
    return CharacterSet{{value, value}};
  }

  // The body of a request is known to be valid UTF-8.
  Result<std::uint32_t> code_point() {
    const auto first = static_cast<unsigned char>(text_[at_]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first >= 0x80 && (first < 0xc0 || at_ + length > text_.size())) return not_taken("it is not UTF-8");
    std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<unsigned char>(text_[at_ + i]) & 0x3fu);
    at_ += length;
    return point;
  }

  std::optional<std::size_t> number() {
    std::optional<std::size_t> value;
    while (left() && peek() >= '0' && peek() <= '9' && value.value_or(0) <= kMaxRepetitions) {
      value = value.value_or(0) * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    }
    return value;
  }

  Result<Part> quantifier(const Part& part) {
    if (!left()) return part;
    std::size_t least = 0;
    std::optional<std::size_t> most;
    const char c = peek();
    if (c == '?') {
      most = 1;
    } else if (c == '+') {
      least = 1;
    } else if (c == '{') {
      take('{');
      const std::optional<std::size_t> first = number();
      if (!first) return not_taken("a quantifier has no number");
      least = *first;
      if (take(',')) {
        most = number();
      } else {
        most = first;
      }
      if (!left() || peek() != '}') return not_taken("a quantifier is not closed");
    } else if (c != '*') {
      return part;
    }
    ++at_;
    take('?');  // a lazy quantifier matches the same whole strings
    if (most && (*most < least || *most == 0)) return not_taken("the bounds of a quantifier contradict each other");
    if (std::max(least, most.value_or(0)) > kMaxRepetitions) return not_taken("a quantifier asks for more than 2,000");
    if (part.can_be_empty) return not_taken("something that can be empty is repeated");
    if (c == '{') {
      out_ += '{' + std::to_string(least) + (most == least ? "" : most ? ',' + std::to_string(*most) : ",") + '}';
    } else {
      out_ += c;
    }
    return Part{part.size * std::max<std::size_t>({least, most.value_or(0), 1}), least == 0};
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::optional<std::uint32_t> escaped_;
};

}  // namespace

Result<ExactPattern> exact_pattern(std::string_view pattern) { return PatternReader(pattern).read(); }

}  // namespace cloister::engine
