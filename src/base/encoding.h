// Hex and base64 (RFC 4648), strict: no white space, no wrong padding, no mixed alphabets.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister {

// Returns lower-case hex without 0x.
std::string to_hex(ByteView bytes);
void append_hex(std::string& out, ByteView bytes);
// Accepts either case; the length must be even; 0x is refused.
Result<Bytes> from_hex(std::string_view text);

// Uses the standard alphabet with padding.
std::string to_base64(ByteView bytes);
// Accepts the standard alphabet; padding is required and trailing bits must be zero.
Result<Bytes> from_base64(std::string_view text);

template <std::size_t N>
Result<ByteArray<N>> from_hex_exactly(std::string_view text) {
  TRY(bytes, from_hex(text));
  if (bytes.size() != N) {
    return fail(ErrorCode::kBadHex,
                "expected " + std::to_string(2 * N) + " hex characters, got " + std::to_string(text.size()));
  }
  ByteArray<N> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace cloister
