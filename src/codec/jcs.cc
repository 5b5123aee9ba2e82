#include "codec/jcs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace cloister::codec {
namespace {

constexpr std::size_t kMostLevels = 64;

Error refuse(const std::string& what) { return fail(ErrorCode::kBadJson, "no canonical form (RFC 8785): " + what); }

// The number of bytes that `lead` announces, 0 for a byte that cannot come first (RFC 3629, section 4).
std::size_t sequence_length(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

// Takes one code point from the front of `text`. Overlong forms, surrogates and values past U+10FFFF are refused.
Result<char32_t> take_code_point(std::string_view& text) {
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = sequence_length(lead);
  if (length == 0 || length > text.size()) return refuse("text that is not UTF-8");
  char32_t point = length == 1 ? lead : lead & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return refuse("text that is not UTF-8");
    point = point << 6 | (next & 0x3F);
  }
  if (point < kSmallest[length] || (point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF) {
    return refuse("text that is not UTF-8");
  }
  text.remove_prefix(length);
  return point;
}

// The key by which members are sorted (RFC 8785, section 3.2.3).
Result<std::u16string> to_utf16(std::string_view text) {
  std::u16string out;
  while (!text.empty()) {
    TRY(point, take_code_point(text));
    if (point < 0x10000) {
      out.push_back(static_cast<char16_t>(point));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    }
  }
  return out;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  if (static_cast<std::uint8_t>(c) >= 0x20) {
    out.push_back(c);
    return;
  }
  out += "\\u00";
  out.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
  out.push_back(kDigits[c & 15]);
}

// RFC 8785, section 3.2.2.2: only what JSON must escape is escaped.
Result<void> append_string(std::string& out, std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) TRY_VOID(take_code_point(rest));
  out.push_back('"');
  for (const char c : text) append_escaped(out, c);
  out.push_back('"');
  return {};
}

// The shortest digits that parse to `value`, and the position of the decimal point: 0.DIGITS * 10^point.
struct Decimal {
  std::string digits;
  int point = 0;
};

Decimal shortest(double value) {
  std::array<char, 32> buffer;
  const std::to_chars_result end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  Decimal out;
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits.push_back(c);
  }
  std::string_view exponent = text.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), out.point);
  ++out.point;
  return out;
}

// ECMAScript's Number::toString (ECMA-262 section 7.1.12.1 of the edition that RFC 8785 cites), for a finite number.
std::string ecmascript_number(double value) {
  if (value == 0) return "0";  // minus zero too
  const auto [digits, point] = shortest(std::abs(value));
  const int count = static_cast<int>(digits.size());
  std::string out = value < 0 ? "-" : "";
  if (count <= point && point <= 21) return out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  if (0 < point && point <= 21) {
    const auto whole = static_cast<std::size_t>(point);
    return out.append(digits, 0, whole).append(1, '.').append(digits, whole);
  }
  if (-6 < point && point <= 0) return out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  const int exponent = point - 1;
  out.append(digits, 0, 1);
  if (count > 1) out.append(1, '.').append(digits, 1);
  return out.append(exponent < 0 ? "e-" : "e+").append(std::to_string(std::abs(exponent)));
}

// A double keeps at most 53 significant bits of a 64-bit integer; one with more would silently become another number.
bool fits_a_double(std::uint64_t magnitude) {
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 53;
  while (magnitude > kLimit && magnitude % 2 == 0) magnitude /= 2;
  return magnitude <= kLimit;
}

Result<std::string> number_text(const Json& value) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (!std::isfinite(number)) return refuse("a number that is not finite");
    return ecmascript_number(number);
  }
  const bool negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
  const std::uint64_t magnitude =
      negative ? std::uint64_t{0} - static_cast<std::uint64_t>(value.get<std::int64_t>()) : value.get<std::uint64_t>();
  const auto number = static_cast<double>(magnitude);
  std::string text = ecmascript_number(number);
  // What the scheme itself writes for a double is parsed as that double again.
  if (!fits_a_double(magnitude) && text != std::to_string(magnitude)) return refuse("an integer of more than 53 bits");
  if (negative) text.insert(text.begin(), '-');
  return text;
}

Result<void> append_value(std::string& out, const Json& value, std::size_t level);

Result<void> append_object(std::string& out, const Json& object, std::size_t level) {
  using Member = std::pair<std::u16string, const Json::object_t::value_type*>;
  std::vector<Member> members;
  for (const auto& member : object.get_ref<const Json::object_t&>()) {
    TRY(name, to_utf16(member.first));
    members.emplace_back(std::move(name), &member);
  }
  const auto by_name = [](const Member& a, const Member& b) { return a.first < b.first; };
  std::sort(members.begin(), members.end(), by_name);
  const auto same_name = [](const Member& a, const Member& b) { return a.first == b.first; };
  if (std::adjacent_find(members.begin(), members.end(), same_name) != members.end()) {
    return refuse("two members of the same name");
  }
  out.push_back('{');
  bool first = true;
  for (const auto& [name, member] : members) {
    if (!std::exchange(first, false)) out.push_back(',');
    TRY_VOID(append_string(out, member->first));
    out.push_back(':');
    TRY_VOID(append_value(out, member->second, level));
  }
  out.push_back('}');
  return {};
}

Result<void> append_array(std::string& out, const Json& array, std::size_t level) {
  out.push_back('[');
  bool first = true;
  for (const Json& item : array.get_ref<const Json::array_t&>()) {
    if (!std::exchange(first, false)) out.push_back(',');
    TRY_VOID(append_value(out, item, level));
  }
  out.push_back(']');
  return {};
}

Result<void> append_value(std::string& out, const Json& value, std::size_t level) {
  if (value.is_structured()) {
    if (level == kMostLevels) return refuse("nesting deeper than " + std::to_string(kMostLevels) + " levels");
    return value.is_object() ? append_object(out, value, level + 1) : append_array(out, value, level + 1);
  }
  if (value.is_string()) return append_string(out, value.get_ref<const std::string&>());
  if (value.is_number()) {
    TRY(text, number_text(value));
    out += text;
    return {};
  }
  if (value.is_boolean()) {
    out += value.get<bool>() ? "true" : "false";
    return {};
  }
  if (!value.is_null()) return refuse("a value that is not JSON");
  out += "null";
  return {};
}

}  // namespace

Result<std::string> write_jcs(const Json& value) {
  std::string out;
  TRY_VOID(append_value(out, value, 0));
  return out;
}

}  // namespace cloister::codec
