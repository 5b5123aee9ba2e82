#include "codec/json_tokens.h"

#include <cstring>

namespace cloister::codec {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// How many bytes in front are ASCII and no control characters, in steps of eight.
std::size_t plain_prefix(std::string_view bytes) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= bytes.size(); at += sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if (((word | (word - 0x2020202020202020u)) & 0x8080808080808080u) != 0) break;
  }
  return at;
}

}  // namespace

void JsonTokens::text(std::string_view bytes) {
  while (!bytes.empty() && !wrong_) {
    if (hex_left_ == 0 && more_ == 0) bytes.remove_prefix(plain_prefix(bytes));
    // The eight bytes that are not plain, or the rest.
    const std::string_view some = bytes.substr(0, sizeof(std::uint64_t));
    for (const char c : some) text_byte(static_cast<unsigned char>(c));
    bytes.remove_prefix(some.size());
  }
}

// The ranges are those of RFC 3629: no longer form than needed, no surrogates, nothing beyond U+10FFFF.
void JsonTokens::text_byte(unsigned char c) {
  if (hex_left_ != 0) {
    --hex_left_;
    wrong_ = wrong_ || !is_hex(c);
  } else if (more_ != 0) {
    wrong_ = wrong_ || c < low_ || c > high_;
    --more_;
    low_ = 0x80;
    high_ = 0xbf;
  } else if (c >= 0x80) {
    wrong_ = wrong_ || c < 0xc2 || c > 0xf4;
    more_ = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    low_ = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    high_ = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  } else {
    wrong_ = wrong_ || c < 0x20;
  }
}

void JsonTokens::escaped(char c) {
  if (c == 'u') hex_left_ = 4;
  constexpr std::string_view kEscapes = "\"\\/bfnrtu";
  wrong_ = wrong_ || kEscapes.find(c) == std::string_view::npos;
}

void JsonTokens::begin_scalar(char c) {
  state_ = c == '-' ? Scalar::kMinus : c == '0' ? Scalar::kZero : is_digit(c) ? Scalar::kDigits : Scalar::kWord;
  if (state_ != Scalar::kWord) return;
  word_ = c == 't' ? "rue" : c == 'f' ? "alse" : c == 'n' ? "ull" : "";
  wrong_ = wrong_ || word_.empty();
}

void JsonTokens::scalar(std::string_view bytes) {
  for (const char c : bytes) scalar_byte(c);
}

void JsonTokens::scalar_byte(char c) {
  const bool digit = is_digit(c);
  const bool exponent = c == 'e' || c == 'E';
  switch (state_) {
    case Scalar::kMinus:
      wrong_ = wrong_ || !digit;
      state_ = c == '0' ? Scalar::kZero : Scalar::kDigits;
      return;
    case Scalar::kZero:
    case Scalar::kDigits:
      if (digit && state_ == Scalar::kDigits) return;
      wrong_ = wrong_ || !(c == '.' || exponent);
      state_ = exponent ? Scalar::kExponent : Scalar::kPoint;
      return;
    case Scalar::kPoint:
      wrong_ = wrong_ || !digit;
      state_ = Scalar::kFraction;
      return;
    case Scalar::kFraction:
      if (digit) return;
      wrong_ = wrong_ || !exponent;
      state_ = Scalar::kExponent;
      return;
    case Scalar::kExponent:
      wrong_ = wrong_ || !(digit || c == '+' || c == '-');
      state_ = digit ? Scalar::kPower : Scalar::kSign;
      return;
    case Scalar::kSign:
    case Scalar::kPower:
      wrong_ = wrong_ || !digit;
      state_ = Scalar::kPower;
      return;
    case Scalar::kWord:
      wrong_ = wrong_ || word_.empty() || word_.front() != c;
      if (!word_.empty()) word_.remove_prefix(1);
      return;
  }
}

void JsonTokens::end_scalar() {
  const bool number =
      state_ == Scalar::kZero || state_ == Scalar::kDigits || state_ == Scalar::kFraction || state_ == Scalar::kPower;
  wrong_ = wrong_ || !(number || (state_ == Scalar::kWord && word_.empty()));
}

}  // namespace cloister::codec
