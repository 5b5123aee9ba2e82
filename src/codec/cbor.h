// CBOR (RFC 8949) as signed manifests use it, read strictly: definite lengths, shortest heads, valid UTF-8, no key of a
// map twice, no floating-point numbers, and nothing behind the one item. Bounded in size, depth and number of items.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

struct CborValue {
  enum class Kind { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kBool, kNull };

  Kind kind = Kind::kNull;
  std::uint64_t number = 0;      // kUnsigned; kNegative: the value is -1 - number; kTag: the tag; kBool: 0 or 1
  Bytes bytes;                   // kBytes
  std::string text;              // kText
  std::vector<CborValue> items;  // kArray: the elements; kMap: keys and values in turn; kTag: the one item

  bool operator==(const CborValue&) const = default;

  bool is(Kind other) const { return kind == other; }
  // The value under this key of a map; null when there is none, or this is no map.
  const CborValue* member(std::uint64_t key) const;
  // The item of this tag; null when this is no such tag.
  const CborValue* tagged(std::uint64_t tag) const;
  // A whole number that fits; absent for anything else.
  std::optional<std::int64_t> integer() const;
};

// At most 2 MiB, 24 levels and 65,536 items. Errors are kBadRim.
Result<CborValue> parse_cbor(ByteView bytes);

// The head of an item: major type (0 to 7) and argument, in the shortest form.
void append_cbor_head(Bytes& out, std::uint8_t major, std::uint64_t argument);
void append_cbor_bytes(Bytes& out, ByteView bytes);
// The shortest form of a value that parse_cbor() could return.
Bytes write_cbor(const CborValue& value);

}  // namespace cloister::codec
