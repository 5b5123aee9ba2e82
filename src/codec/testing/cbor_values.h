// For tests only: short helpers that build CBOR values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "codec/cbor.h"

namespace cloister::codec::testing {

inline CborValue number(std::uint64_t value) { return {CborValue::Kind::kUnsigned, value, {}, {}, {}}; }
inline CborValue text(const std::string& value) { return {CborValue::Kind::kText, 0, {}, value, {}}; }
inline CborValue bytes(Bytes value) { return {CborValue::Kind::kBytes, 0, std::move(value), {}, {}}; }
inline CborValue list(std::vector<CborValue> items) { return {CborValue::Kind::kArray, 0, {}, {}, std::move(items)}; }
inline CborValue map(std::vector<CborValue> items) { return {CborValue::Kind::kMap, 0, {}, {}, std::move(items)}; }
inline CborValue tag(std::uint64_t value, CborValue item) {
  return {CborValue::Kind::kTag, value, {}, {}, {std::move(item)}};
}
inline CborValue yes() { return {CborValue::Kind::kBool, 1, {}, {}, {}}; }

}  // namespace cloister::codec::testing
