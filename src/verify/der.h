// Parses DER (X.690) as far as certificate extensions need it: one-byte tags, definite lengths in their shortest form.
// Private to verify.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::verify {

constexpr std::uint8_t kDerOctetString = 0x04;
constexpr std::uint8_t kDerOid = 0x06;
constexpr std::uint8_t kDerSequence = 0x30;

struct DerValue {
  std::uint8_t tag = 0;
  ByteView content;
};

// Iterates over consecutive values in `bytes`, which must outlive the reader and what it returns.
class DerReader {
 public:
  explicit DerReader(ByteView bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  Result<DerValue> next();
  // Returns the next value, which must have this tag.
  Result<ByteView> next(std::uint8_t tag);

 private:
  ByteView rest_;
};

// The arcs of an object identifier's content octets. Empty when they are malformed, or an arc has more than 63 bits.
std::vector<std::uint64_t> oid_arcs(ByteView content);
// "1.3.6.1.4.1.5703".
std::string dotted_oid(const std::vector<std::uint64_t>& arcs);

}  // namespace cloister::verify
