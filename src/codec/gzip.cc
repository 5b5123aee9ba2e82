#include "codec/gzip.h"

#include <array>
#include <string>

namespace cloister::codec {
namespace {

Error bad(const std::string& what) { return fail(ErrorCode::kBadReport, "gzip: " + what); }

// Bits, the lowest of each byte first. Behind the end everything is zero, and ended() says so.
class BitReader {
 public:
  explicit BitReader(ByteView bytes) : bytes_(bytes) {}

  std::uint32_t bits(int count) {
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i) value |= bit() << i;
    return value;
  }
  std::uint32_t bit() {
    const std::size_t byte = at_ / 8;
    if (byte >= bytes_.size()) {
      ended_ = true;
      return 0;
    }
    return (bytes_[byte] >> (at_++ % 8)) & 1u;
  }
  void align() { at_ = (at_ + 7) / 8 * 8; }
  // The index of the next whole byte.
  std::size_t position() const { return (at_ + 7) / 8; }
  bool ended() const { return ended_; }

 private:
  ByteView bytes_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

// A canonical Huffman code (RFC 1951 section 3.2.2), read bit by bit: `count` codes of each length, symbols in code order.
struct Code {
  static constexpr int kMostBits = 15;
  std::array<std::uint16_t, kMostBits + 1> count{};
  std::array<std::uint16_t, 288> symbol{};

  // False when more codes are given than the lengths have room for. Missing codes are no error here: a text that uses
  // one is.
  template <std::size_t N>
  bool build(const std::array<std::uint8_t, N>& lengths, std::size_t used) {
    count.fill(0);
    for (std::size_t i = 0; i < used; ++i) ++count[lengths[i]];
    count[0] = 0;
    int left = 1;
    std::array<std::uint16_t, kMostBits + 2> first{};
    for (int bits = 1; bits <= kMostBits; ++bits) {
      left = left * 2 - count[static_cast<std::size_t>(bits)];
      if (left < 0) return false;
      first[static_cast<std::size_t>(bits) + 1] =
          static_cast<std::uint16_t>(first[static_cast<std::size_t>(bits)] + count[static_cast<std::size_t>(bits)]);
    }
    for (std::size_t i = 0; i < used; ++i) {
      if (lengths[i] != 0) symbol[first[lengths[i]]++] = static_cast<std::uint16_t>(i);
    }
    return true;
  }

  // -1 for bits that are no code.
  int read(BitReader& in) const {
    int code = 0, first = 0, index = 0;
    for (std::size_t bits = 1; bits <= kMostBits; ++bits) {
      code |= static_cast<int>(in.bit());
      const int here = count[bits];
      if (code - here < first) return symbol[static_cast<std::size_t>(index + code - first)];
      index += here;
      first = (first + here) * 2;
      code *= 2;
    }
    return -1;
  }
};

constexpr std::array<std::uint16_t, 29> kLengthBase = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                       31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<std::uint8_t, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<std::uint16_t, 30> kDistanceBase = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,
                                                         33,  49,  65,  97,  129, 193,  257,  385,  513,  769,
                                                         1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::array<std::uint8_t, 30> kDistanceBits = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                        6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
// The order in which the lengths of the code for code lengths stand.
constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
constexpr std::size_t kMostLengths = 286 + 30;

class Inflater {
 public:
  Inflater(ByteView packed, std::size_t limit) : in_(packed), packed_(packed), limit_(limit) {}

  Result<void> run() {
    bool last = false;
    while (!last) {
      last = in_.bit() == 1;
      const std::uint32_t kind = in_.bits(2);
      if (in_.ended()) return bad("the text ends within a block");
      if (kind == 0) {
        TRY_VOID(stored());
      } else if (kind == 1) {
        fixed_codes();
        TRY_VOID(compressed());
      } else if (kind == 2) {
        TRY_VOID(read_codes());
        TRY_VOID(compressed());
      } else {
        return bad("a block of an unknown kind");
      }
    }
    return {};
  }

  std::size_t position() const { return in_.position(); }
  Bytes take() { return std::move(out_); }

 private:
  Result<void> stored() {
    in_.align();
    const std::uint32_t size = in_.bits(16), complement = in_.bits(16);
    if (in_.ended() || (size ^ complement) != 0xffff) return bad("the length of a stored block is damaged");
    if (size > packed_.size() - in_.position()) return bad("the text ends within a stored block");
    for (std::uint32_t i = 0; i < size; ++i) TRY_VOID(put(static_cast<std::uint8_t>(in_.bits(8))));
    return {};
  }

  void fixed_codes() {
    std::array<std::uint8_t, kMostLengths> lengths{};
    for (std::size_t i = 0; i < 288; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    literals_.build(lengths, 288);
    lengths.fill(5);
    distances_.build(lengths, 30);
  }

  Result<void> read_codes() {
    const std::size_t literals = in_.bits(5) + 257, distances = in_.bits(5) + 1, codes = in_.bits(4) + 4;
    if (literals > 286 || distances > 30) return bad("too many codes");
    std::array<std::uint8_t, kMostLengths> lengths{};
    for (std::size_t i = 0; i < codes; ++i) lengths[kOrder[i]] = static_cast<std::uint8_t>(in_.bits(3));
    Code code;
    if (!code.build(lengths, kOrder.size())) return bad("the code for code lengths is over-full");
    lengths.fill(0);
    for (std::size_t i = 0; i < literals + distances;) {
      const int symbol = code.read(in_);
      if (symbol < 0 || in_.ended()) return bad("a code length is damaged");
      if (symbol < 16) {
        lengths[i++] = static_cast<std::uint8_t>(symbol);
        continue;
      }
      if (symbol == 16 && i == 0) return bad("a code length repeats nothing");
      const std::uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
      const std::size_t times = symbol == 16 ? 3 + in_.bits(2) : symbol == 17 ? 3 + in_.bits(3) : 11 + in_.bits(7);
      if (times > literals + distances - i) return bad("too many code lengths");
      for (std::size_t end = i + times; i < end;) lengths[i++] = value;
    }
    if (lengths[256] == 0) return bad("a block without an end");
    std::array<std::uint8_t, kMostLengths> behind{};
    for (std::size_t i = 0; i < distances; ++i) behind[i] = lengths[literals + i];
    if (!literals_.build(lengths, literals) || !distances_.build(behind, distances)) return bad("a code is over-full");
    return {};
  }

  Result<void> compressed() {
    while (true) {
      const int symbol = literals_.read(in_);
      if (symbol < 0 || in_.ended()) return bad("bits that are no code");
      if (symbol < 256) {
        TRY_VOID(put(static_cast<std::uint8_t>(symbol)));
        continue;
      }
      if (symbol == 256) return {};
      const std::size_t kind = static_cast<std::size_t>(symbol) - 257;
      if (kind >= kLengthBase.size()) return bad("a length of an unknown kind");
      const std::size_t length = kLengthBase[kind] + in_.bits(kLengthBits[kind]);
      const int far = distances_.read(in_);
      if (far < 0 || static_cast<std::size_t>(far) >= kDistanceBase.size()) return bad("a distance of an unknown kind");
      const std::size_t distance = kDistanceBase[static_cast<std::size_t>(far)] + in_.bits(kDistanceBits[static_cast<std::size_t>(far)]);
      if (in_.ended() || distance > out_.size()) return bad("a distance reaches before the beginning");
      for (std::size_t i = 0; i < length; ++i) TRY_VOID(put(out_[out_.size() - distance]));
    }
  }

  Result<void> put(std::uint8_t byte) {
    if (out_.size() == limit_) return bad("the content has more than " + std::to_string(limit_) + " bytes");
    out_.push_back(byte);
    return {};
  }

  BitReader in_;
  ByteView packed_;
  std::size_t limit_;
  Bytes out_;
  Code literals_, distances_;
};

// CRC-32 of RFC 1952 section 8.
std::uint32_t crc32(ByteView bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::uint32_t le32(ByteView bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
}

// The size of the head: ten bytes, and the optional fields that its flags name.
Result<std::size_t> head_size(ByteView packed) {
  constexpr std::size_t kFixed = 10;
  constexpr std::uint8_t kHeadCrc = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0;
  if (packed.size() < kFixed || packed[0] != 0x1f || packed[1] != 0x8b || packed[2] != 8) return bad("not a gzip text");
  const std::uint8_t flags = packed[3];
  if ((flags & kReserved) != 0) return bad("a flag of an unknown meaning");
  std::size_t at = kFixed;
  if ((flags & kExtra) != 0) {
    if (packed.size() - at < 2) return bad("the head ends early");
    at += 2u + packed[at] + 256u * packed[at + 1];
  }
  for (const std::uint8_t text : {kName, kComment}) {
    if ((flags & text) == 0) continue;
    while (at < packed.size() && packed[at] != 0) ++at;
    ++at;
  }
  if ((flags & kHeadCrc) != 0) at += 2;
  if (at >= packed.size()) return bad("the head ends early");
  return at;
}

}  // namespace

Result<Bytes> unpack_gzip(ByteView packed, std::size_t limit) {
  constexpr std::size_t kTail = 8;
  TRY(head, head_size(packed));
  Inflater inflater(packed.subspan(head), limit);
  TRY_VOID(inflater.run());
  const std::size_t end = head + inflater.position();
  if (packed.size() - end != kTail) return bad("expected 8 bytes behind the content, found " + std::to_string(packed.size() - end));
  Bytes content = inflater.take();
  if (le32(packed.subspan(end)) != crc32(content) || le32(packed.subspan(end + 4)) != content.size()) {
    return bad("the content is not the one that its checksum is of");
  }
  return content;
}

}  // namespace cloister::codec
