#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cloister {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The value of each character, -1 for none.
using DigitValues = std::array<std::int8_t, 256>;

constexpr DigitValues values_of(std::string_view digits) {
  DigitValues values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr DigitValues hex_values() {
  DigitValues values = values_of(kHexDigits);
  for (char c = 'A'; c <= 'F'; ++c) values[static_cast<unsigned char>(c)] = static_cast<std::int8_t>(c - 'A' + 10);
  return values;
}

constexpr DigitValues kHexValues = hex_values();
constexpr DigitValues kBase64Values = values_of(kBase64Digits);

int hex_value(char c) { return kHexValues[static_cast<unsigned char>(c)]; }
int base64_value(char c) { return kBase64Values[static_cast<unsigned char>(c)]; }

}  // namespace

void append_hex(std::string& out, ByteView bytes) {
  std::size_t at = out.size();
  out.resize(at + bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out[at++] = kHexDigits[b >> 4];
    out[at++] = kHexDigits[b & 15];
  }
}

std::string to_hex(ByteView bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorCode::kBadHex, "hex text has an odd number of digits");
  Bytes out(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_value(text[i]);
    int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(ErrorCode::kBadHex, "not a hex digit at position " + std::to_string(high < 0 ? i : i + 1));
    }
    out[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return out;
}

std::string to_base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = bytes[i] << 16;
    if (n > 1) word |= bytes[i + 1] << 8;
    if (n > 2) word |= bytes[i + 2];
    out.push_back(kBase64Digits[word >> 18 & 63]);
    out.push_back(kBase64Digits[word >> 12 & 63]);
    out.push_back(n > 1 ? kBase64Digits[word >> 6 & 63] : '=');
    out.push_back(n > 2 ? kBase64Digits[word & 63] : '=');
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(ErrorCode::kBadBase64, "base64 length is not a multiple of 4");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::size_t digits = text.size() - padding;
  Bytes out(digits * 6 / 8);
  std::uint32_t word = 0;
  unsigned bits = 0;
  std::size_t filled = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    int value = base64_value(text[i]);
    if (value < 0) return fail(ErrorCode::kBadBase64, "not a base64 digit at position " + std::to_string(i));
    word = word << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[filled++] = static_cast<std::uint8_t>(word >> bits & 255);
    }
  }
  if ((word & ((1U << bits) - 1)) != 0) return fail(ErrorCode::kBadBase64, "trailing bits are not zero");
  return out;
}

}  // namespace cloister
