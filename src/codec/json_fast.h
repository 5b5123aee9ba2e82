// Private to codec: parses JSON several times as fast as the library whose values it fills.
#pragma once

#include <string_view>

#include "codec/json_builder.h"

namespace cloister::codec {

enum class FastJson {
  kBuilt,
  kRefused,   // the builder refused the text and has the error
  kNotTaken,  // not JSON, larger than 1 MiB, deeper than 1024 levels, or with a whole number beyond 64 bits
};

// The builder has seen no event when the result is kNotTaken.
FastJson build_json_fast(std::string_view text, JsonBuilder& builder);

// Like build_json_fast(), with memory of its own, all of which is overwritten before it is freed.
FastJson build_secret_json(std::string_view text, JsonBuilder& builder);

}  // namespace cloister::codec
