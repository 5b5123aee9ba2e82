// Hex and base64 (RFC 4648), strict: no white space, no wrong padding, no mixed alphabets.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister {

// Lower-case, no 0x.
std::string to_hex(ByteView bytes);
void append_hex(std::string& out, ByteView bytes);
// Either case, even length, no 0x.
Result<Bytes> from_hex(std::string_view text);

// Standard alphabet with padding.
std::string to_base64(ByteView bytes);
// Standard alphabet; padding required; trailing bits must be zero.
Result<Bytes> from_base64(std::string_view text);

template <std::size_t N>
Result<ByteArray<N>> from_hex_exactly(std::string_view text) {
  TRY(bytes, from_hex(text));
  if (bytes.size() != N) {
    return fail(ErrorCode::kBadHex, "expected " + std::to_string(2 * N) + " hex characters, got " +
                                        std::to_string(text.size()));
  }
  ByteArray<N> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace cloister
