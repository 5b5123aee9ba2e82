// CBOR (RFC 8949) as signed manifests use it. The parser is strict: definite lengths, shortest heads, valid UTF-8, no duplicate
// keys in a map, no floating-point numbers, and nothing after the one item. It is bounded in size, depth and number of items.
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
  // Returns the value under this key of a map; null when there is none, or this is no map.
  const CborValue* member(std::uint64_t key) const;
  // Returns the item of this tag; null when this is not that tag.
  const CborValue* tagged(std::uint64_t tag) const;
  // Returns a whole number that fits; absent for anything else.
  std::optional<std::int64_t> integer() const;
};

// Accepts at most 2 MiB, 24 levels and 65,536 items. Errors are kBadRim.
Result<CborValue> parse_cbor(ByteView bytes);

// Appends the head of an item: major type (0 to 7) and argument, in the shortest form.
void append_cbor_head(Bytes& out, std::uint8_t major, std::uint64_t argument);
void append_cbor_bytes(Bytes& out, ByteView bytes);
// Returns the shortest form of a value that parse_cbor() could return.
Bytes write_cbor(const CborValue& value);

}  // namespace cloister::codec
