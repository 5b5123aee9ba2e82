#include "codec/cbor.h"

#include "codec/utf8.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

constexpr std::size_t kMostBytes = 2u << 20;
constexpr std::size_t kMostItems = 65'536;
constexpr int kMostDepth = 24;
constexpr std::uint8_t kFalse = 20, kTrue = 21, kNull = 22;

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  Result<CborValue> item(int depth) {
    if (depth > kMostDepth) return error("more than 24 levels");
    if (++items_ > kMostItems) return error("more than 65536 items");
    TRY(first, byte());
    const auto major = static_cast<std::uint8_t>(first >> 5);
    if (major == 7) return simple(first & 0x1f);
    TRY(number, argument(first & 0x1f));
    CborValue out;
    switch (major) {
      case 0: out.kind = Kind::kUnsigned; break;
      case 1: out.kind = Kind::kNegative; break;
      case 2:
      case 3: return string(major == 3, number);
      case 4: return list(Kind::kArray, 0, number, depth);
      case 5: return map(number, depth);
      default: return tag(number, depth);
    }
    out.number = number;
    return out;
  }

  std::size_t left() const { return bytes_.size() - at_; }
  Error error(const std::string& what) const {
    return fail(ErrorCode::kBadRim, "CBOR at offset " + std::to_string(at_) + ": " + what);
  }

 private:
  Result<std::uint8_t> byte() {
    if (left() == 0) return error("the item is cut off");
    return bytes_[at_++];
  }

  // RFC 8949, 4.2.1: only the shortest form is accepted.
  Result<std::uint64_t> argument(std::uint8_t low) {
    if (low < 24) return std::uint64_t{low};
    if (low > 27) return error("an indefinite length, or a reserved one");
    const std::size_t size = std::size_t{1} << (low - 24);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      TRY(next, byte());
      value = value << 8 | next;
    }
    const std::uint64_t least = size == 1 ? 24 : std::uint64_t{1} << (size * 4);
    if (value < least) return error("a number that is longer than it need be");
    return value;
  }

  Result<CborValue> simple(std::uint8_t low) {
    CborValue out;
    if (low == kNull) return out;
    if (low != kFalse && low != kTrue) return error("a floating-point number or a simple value of no meaning");
    out.kind = Kind::kBool;
    out.number = low == kTrue ? 1 : 0;
    return out;
  }

  Result<CborValue> string(bool is_text, std::uint64_t size) {
    if (size > left()) return error("a string is cut off");
    const ByteView content = bytes_.subspan(at_, static_cast<std::size_t>(size));
    CborValue out;
    out.kind = is_text ? Kind::kText : Kind::kBytes;
    if (is_text && !is_utf8(content)) return error("a text is not UTF-8");
    at_ += content.size();
    if (is_text) {
      out.text = as_text(content);
    } else {
      out.bytes = to_bytes(content);
    }
    return out;
  }

  // Reads `count` items, each of at least one byte. `number` is the number of a tag.
  Result<CborValue> list(Kind kind, std::uint64_t number, std::uint64_t count, int depth) {
    if (count > left()) return error("a list is cut off");
    CborValue out;
    out.kind = kind;
    out.number = number;
    for (std::uint64_t i = 0; i < count; ++i) {
      TRY(next, item(depth + 1));
      out.items.push_back(std::move(next));
    }
    return out;
  }

  Result<CborValue> map(std::uint64_t count, int depth) {
    if (count > left() / 2) return error("a map is cut off");
    TRY(out, list(Kind::kMap, 0, 2 * count, depth));
    // Keys are few; those of manifests are small numbers.
    for (std::size_t i = 0; i < out.items.size(); i += 2) {
      if (i > 2 * kMostKeys) return error("a map of more than 256 keys");
      for (std::size_t k = 0; k < i; k += 2) {
        if (out.items[k] == out.items[i]) return error("a key occurs twice in a map");
      }
    }
    return out;
  }

  Result<CborValue> tag(std::uint64_t number, int depth) { return list(Kind::kTag, number, 1, depth); }

  static constexpr std::size_t kMostKeys = 256;
  const ByteView bytes_;
  std::size_t at_ = 0;
  std::size_t items_ = 0;
};

std::uint8_t major_of(Kind kind) {
  switch (kind) {
    case Kind::kUnsigned: return 0;
    case Kind::kNegative: return 1;
    case Kind::kBytes: return 2;
    case Kind::kText: return 3;
    case Kind::kArray: return 4;
    case Kind::kMap: return 5;
    case Kind::kTag: return 6;
    case Kind::kBool:
    case Kind::kNull: return 7;
  }
  return 7;
}

void write(const CborValue& value, Bytes& out) {
  const std::uint8_t major = major_of(value.kind);
  switch (value.kind) {
    case Kind::kUnsigned:
    case Kind::kNegative:
    case Kind::kTag: append_cbor_head(out, major, value.number); break;
    case Kind::kBytes: append_cbor_bytes(out, value.bytes); return;
    case Kind::kText:
      append_cbor_head(out, major, value.text.size());
      append(out, as_bytes(value.text));
      return;
    case Kind::kArray: append_cbor_head(out, major, value.items.size()); break;
    case Kind::kMap: append_cbor_head(out, major, value.items.size() / 2); break;
    case Kind::kBool: append_cbor_head(out, major, value.number != 0 ? kTrue : kFalse); return;
    case Kind::kNull: append_cbor_head(out, major, kNull); return;
  }
  for (const CborValue& item : value.items) write(item, out);
}

}  // namespace

const CborValue* CborValue::member(std::uint64_t key) const {
  if (kind != Kind::kMap) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind == Kind::kUnsigned && items[i].number == key) return &items[i + 1];
  }
  return nullptr;
}

const CborValue* CborValue::tagged(std::uint64_t tag) const {
  return kind == Kind::kTag && number == tag && items.size() == 1 ? &items.front() : nullptr;
}

std::optional<std::int64_t> CborValue::integer() const {
  if ((kind != Kind::kUnsigned && kind != Kind::kNegative) || number > INT64_MAX) return std::nullopt;
  const auto value = static_cast<std::int64_t>(number);
  return kind == Kind::kUnsigned ? value : -1 - value;
}

Result<CborValue> parse_cbor(ByteView bytes) {
  if (bytes.size() > kMostBytes) return fail(ErrorCode::kBadRim, "CBOR: expected at most 2 MiB");
  Reader reader(bytes);
  TRY(out, reader.item(1));
  if (reader.left() != 0) return reader.error("bytes follow the item");
  return out;
}

void append_cbor_head(Bytes& out, std::uint8_t major, std::uint64_t argument) {
  const auto first = static_cast<std::uint8_t>(major << 5);
  if (argument < 24) {
    out.push_back(static_cast<std::uint8_t>(first | argument));
    return;
  }
  const int log = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
  out.push_back(static_cast<std::uint8_t>(first | (24 + log)));
  for (int shift = 8 * (1 << log) - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(argument >> shift));
  }
}

void append_cbor_bytes(Bytes& out, ByteView bytes) {
  append_cbor_head(out, 2, bytes.size());
  append(out, bytes);
}

Bytes write_cbor(const CborValue& value) {
  Bytes out;
  write(value, out);
  return out;
}

}  // namespace cloister::codec
