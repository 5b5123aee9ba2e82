// Parses MessagePack, as dstack writes its versioned attestations: strictly, within bounds.
#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

struct MsgpackLimits {
  std::size_t max_depth = 16;
  std::size_t max_values = 1u << 18;
};

// Accepts one value with nothing after it. Maps have text keys without duplicates; text is valid UTF-8; binary values become
// JSON binaries. Floating-point numbers, extension types and truncated input are errors. Errors are kBadReport. Any thread.
Result<Json> parse_msgpack(ByteView bytes, const MsgpackLimits& limits = {});

}  // namespace cloister::codec
