// Writes canonical JSON (codec/jcs.h) member by member, without a tree of values in between, for documents whose form
// is known when the program is written. The caller names the members of each object in the order of RFC 8785 (for names
// of ASCII that of strcmp); that it did, a test shows by writing the same document with write_jcs.
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
  // The name of the member that is written next. Letters, digits and '_' only.
  JcsWriter& name(std::string_view name);

  // Any text: what is not UTF-8 is the error of finish().
  JcsWriter& text(std::string_view text);
  // "PREFIX<lower-case hex>"; `prefix` is of letters, digits and ':'.
  JcsWriter& hex(std::string_view prefix, ByteView bytes);
  // What no double holds exactly is the error of finish().
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
  // Anything, as write_jcs writes it.
  JcsWriter& value_of(const Json& value);

  // What was written, or the first error. Once.
  Result<std::string> finish() &&;

 private:
  JcsWriter& open(char bracket);
  JcsWriter& close(char bracket);
  void separate();  // a comma, unless this is the first of an object or array or has a name

  std::string out_;
  bool first_ = true;
  Result<void> state_;
};

}  // namespace cloister::codec
