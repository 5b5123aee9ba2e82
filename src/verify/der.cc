#include "verify/der.h"

#include <string>

namespace cloister::verify {
namespace {

constexpr std::uint8_t kMultiByteTag = 0x1f;

Error malformed(std::string what) { return fail(ErrorCode::kBadCertificate, "DER: " + std::move(what)); }

}  // namespace

Result<DerValue> DerReader::next() {
  if (rest_.size() < 2) return malformed("expected a value, found " + std::to_string(rest_.size()) + " bytes");
  DerValue value;
  value.tag = rest_[0];
  if ((value.tag & kMultiByteTag) == kMultiByteTag) return malformed("tags of several bytes are not expected here");
  std::size_t size = rest_[1];
  std::size_t header = 2;
  if (size >= 0x80) {
    const std::size_t length_bytes = size & 0x7f;
    if (length_bytes < 1 || length_bytes > 3 || rest_.size() < 2 + length_bytes) return malformed("bad length");
    size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | rest_[2 + i];
    const std::size_t least = length_bytes == 1 ? 0x80 : std::size_t{1} << (8 * (length_bytes - 1));
    if (size < least) return malformed("length is not in its shortest form");
    header += length_bytes;
  }
  if (rest_.size() - header < size) {
    return malformed("a value of " + std::to_string(size) + " bytes has only " + std::to_string(rest_.size() - header));
  }
  value.content = rest_.subspan(header, size);
  rest_ = rest_.subspan(header + size);
  return value;
}

Result<ByteView> DerReader::next(std::uint8_t tag) {
  TRY(value, next());
  if (value.tag != tag) {
    return malformed("expected tag " + std::to_string(tag) + ", found " + std::to_string(value.tag));
  }
  return value.content;
}

std::vector<std::uint64_t> oid_arcs(ByteView content) {
  std::vector<std::uint64_t> out;
  std::uint64_t arc = 0;
  bool inside = false;
  for (const std::uint8_t byte : content) {
    // X.690, 8.19.2: no leading zero digits.
    if ((!inside && byte == 0x80) || arc >> 56 != 0) return {};
    arc = arc << 7 | (byte & 0x7f);
    inside = (byte & 0x80) != 0;
    if (inside) continue;
    if (out.empty()) {
      const std::uint64_t first = arc < 80 ? arc / 40 : 2;
      out = {first, arc - first * 40};
    } else {
      out.push_back(arc);
    }
    arc = 0;
  }
  return inside ? std::vector<std::uint64_t>() : out;
}

std::string dotted_oid(const std::vector<std::uint64_t>& arcs) {
  std::string out;
  for (const std::uint64_t arc : arcs) out += (out.empty() ? "" : ".") + std::to_string(arc);
  return out;
}

}  // namespace cloister::verify
