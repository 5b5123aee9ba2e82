// Private to codec: reads JSON several times as fast as the library whose values it fills.
#pragma once

#include <string_view>

#include "codec/json_builder.h"

namespace cloister::codec {

enum class FastJson {
  kBuilt,
  kRefused,   // by the builder, which has the complaint
  kNotTaken,  // not JSON, larger than 1 MiB, deeper than 1024 levels, or with a whole number beyond 64 bits
};

// The builder has seen nothing when the text was not taken.
FastJson build_json_fast(std::string_view text, JsonBuilder& builder);

// The same with memory of its own, all of which is overwritten before it is given back.
FastJson build_secret_json(std::string_view text, JsonBuilder& builder);

}  // namespace cloister::codec
