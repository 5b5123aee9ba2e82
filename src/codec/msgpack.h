// Reads MessagePack, as dstack writes its versioned attestations: strictly, within bounds.
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

// One value and nothing behind it. Maps have text keys, none twice; text is valid UTF-8; binary values become JSON binaries. Floating point
// numbers and extension types are errors, as is everything cut short. Errors are kBadReport. Any thread.
Result<Json> parse_msgpack(ByteView bytes, const MsgpackLimits& limits = {});

}  // namespace cloister::codec
