// JsonTokens: whether the strings, numbers and literals of a JSON text are written as RFC 8259 has it, in UTF-8. Sees them in pieces of any
// size as they pass by, keeps none of them; where they begin and end is for the caller to say. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cloister::codec {

class JsonTokens {
 public:
  // True when one of them was not; it stays so.
  bool wrong() const { return wrong_; }

  // Bytes of a string that hold neither a quote nor a backslash.
  void text(std::string_view bytes);
  // A backslash, or the quote that ends the string, comes next.
  void end_text() {
    wrong_ = wrong_ || hex_left_ != 0 || more_ != 0;
    hex_left_ = more_ = 0;
  }
  // The byte behind a backslash.
  void escaped(char c);

  // A number or a literal: its first byte, more of it, its end.
  void begin_scalar(char c);
  void scalar(std::string_view bytes);
  void end_scalar();

 private:
  enum class Scalar { kMinus, kZero, kDigits, kPoint, kFraction, kExponent, kSign, kPower, kWord };

  void text_byte(unsigned char c);
  void scalar_byte(char c);

  bool wrong_ = false;
  unsigned hex_left_ = 0;  // digits of an escape that are still to come
  unsigned more_ = 0;      // bytes of a character that are still to come, the next of them in this range
  unsigned char low_ = 0x80, high_ = 0xbf;
  Scalar state_ = Scalar::kWord;
  std::string_view word_;  // what is left of the literal at hand
};

}  // namespace cloister::codec
