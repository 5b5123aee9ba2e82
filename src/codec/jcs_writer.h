// Writes canonical JSON (codec/jcs.h) member by member, without building a tree of values, for documents whose form is
// known when the program is written. The caller names the members of each object in the order of RFC 8785 (for ASCII
// names, the order of strcmp). A test shows that the caller does so, by writing the same document with write_jcs.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

class JcsWriter {
 public:
  explicit JcsWriter(std::size_t expected_bytes) { out_.reserve(expected_bytes); }

  JcsWriter& open_object() { return open('{'); }
  JcsWriter& close_object() { return close('}'); }
  JcsWriter& open_array() { return open('['); }
  JcsWriter& close_array() { return close(']'); }
  // Names the member that is written next. Letters, digits and '_' only.
  JcsWriter& name(std::string_view name);

  // Writes any text; text that is not UTF-8 becomes the error of finish().
  JcsWriter& text(std::string_view text);
  // Writes "PREFIX<lower-case hex>"; `prefix` consists of letters, digits and ':'.
  JcsWriter& hex(std::string_view prefix, ByteView bytes);
  // Writes a number; one that no double holds exactly becomes the error of finish().
  template <std::integral Number>
  JcsWriter& number(Number value) {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (std::cmp_less(value, -kExact) || std::cmp_greater(value, kExact)) return value_of(Json(value));
    separate();
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return *this;
  }
  JcsWriter& boolean(bool value);
  JcsWriter& null();
  // Writes any value as write_jcs writes it.
  JcsWriter& value_of(const Json& value);

  // Returns what was written, or the first error. Called once.
  Result<std::string> finish() &&;

 private:
  JcsWriter& open(char bracket);
  JcsWriter& close(char bracket);
  void separate();  // writes a comma, unless the value is the first of an object or array or follows a name

  std::string out_;
  bool first_ = true;
  Result<void> state_;
};

}  // namespace cloister::codec
