// The part of DER that the SGX extension of a PCK certificate needs. Private to the simulator.
#pragma once

#include <cassert>
#include <initializer_list>

#include "base/bytes.h"

namespace cloister::tee {

// X.690 tags.
constexpr std::uint8_t kDerBoolean = 0x01;
constexpr std::uint8_t kDerInteger = 0x02;
constexpr std::uint8_t kDerOctetString = 0x04;
constexpr std::uint8_t kDerOid = 0x06;
constexpr std::uint8_t kDerEnumerated = 0x0a;
constexpr std::uint8_t kDerSequence = 0x30;

// The tag, the length in the shortest form, and the content of at most 65,535 bytes.
inline Bytes der(std::uint8_t tag, ByteView content) {
  assert(content.size() <= 0xffff);
  Bytes out = {tag};
  const auto low = static_cast<std::uint8_t>(content.size() & 0xff);
  const auto high = static_cast<std::uint8_t>(content.size() >> 8);
  if (content.size() > 0xff) {
    append(out, Bytes{0x82, high, low});
  } else if (content.size() > 0x7f) {
    append(out, Bytes{0x81, low});
  } else {
    out.push_back(low);
  }
  append(out, content);
  return out;
}

inline Bytes der_sequence(std::initializer_list<Bytes> parts) {
  Bytes content;
  for (const Bytes& part : parts) append(content, part);
  return der(kDerSequence, content);
}

// A number from 0 to 255; a leading zero byte keeps it positive.
inline Bytes der_integer(std::uint8_t value) {
  return value < 0x80 ? der(kDerInteger, Bytes{value}) : der(kDerInteger, Bytes{0, value});
}

}  // namespace cloister::tee
