// Private to codec: a cursor over untrusted little-endian bytes. Every read is checked against what is left.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

class ByteReader {
 public:
  // Errors have `code` and call the input `what`, for example "TDX quote".
  ByteReader(ByteView bytes, ErrorCode code, std::string_view what) : bytes_(bytes), code_(code), what_(what) {}

  std::size_t offset() const { return offset_; }
  std::size_t left() const { return bytes_.size() - offset_; }

  // Takes the next `count` bytes. The count has 64 bits, so that a length from the wire cannot wrap before it is checked.
  Result<ByteView> take(std::uint64_t count, std::string_view field) {
    if (count > left()) {
      return error(std::string(field) + " at offset " + std::to_string(offset_) + " needs " + std::to_string(count) +
                   " bytes, " + std::to_string(left()) + " are left");
    }
    const ByteView out = bytes_.subspan(offset_, static_cast<std::size_t>(count));
    offset_ += static_cast<std::size_t>(count);
    return out;
  }

  template <std::size_t N>
  Result<ByteArray<N>> array(std::string_view field) {
    TRY(bytes, take(N, field));
    ByteArray<N> out;
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }

  // Reads an unsigned integer of `Size` bytes.
  template <typename T, std::size_t Size = sizeof(T)>
  Result<T> integer(std::string_view field) {
    static_assert(Size <= sizeof(T));
    TRY(bytes, take(Size, field));
    std::uint64_t value = 0;
    for (std::size_t i = Size; i-- > 0;) value = value << 8 | bytes[i];
    return static_cast<T>(value);
  }

  // The guest's and the GPU's drivers return fixed buffers, so zero bytes may follow; anything else is an error.
  Result<void> expect_zero_padding() {
    const ByteView rest = bytes_.subspan(offset_);
    const auto odd = std::find_if(rest.begin(), rest.end(), [](std::uint8_t b) { return b != 0; });
    if (odd == rest.end()) return {};
    return error("expected nothing but zero bytes after the end, got another at offset " +
                 std::to_string(offset_ + static_cast<std::size_t>(odd - rest.begin())));
  }

  Error error(const std::string& message) const { return fail(code_, std::string(what_) + ": " + message); }

 private:
  ByteView bytes_;
  ErrorCode code_;
  std::string_view what_;
  std::size_t offset_ = 0;
};

// Writes little-endian integers: the counterpart of the reader.
inline void append_integer(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace cloister::codec
