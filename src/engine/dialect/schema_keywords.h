// The keywords of JSON Schema by the types that they constrain, and what the engine's grammar does with them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/json.h"

namespace cloister::engine {

// Sets of JSON types, as bits.
enum JsonTypes : std::uint8_t {
  kNoType = 0,
  kObjectType = 1,
  kArrayType = 2,
  kStringType = 4,
  kIntegerType = 8,
  kNumberType = 16,  // a number that is no integer
  kBooleanType = 32,
  kNullType = 64,
  kEveryType = 127,
};

// The types that a name in a schema's "type" stands for; kNoType for an unknown name.
std::uint8_t types_of_word(std::string_view word);
// The one type of a value. As in JSON Schema, 2.0 is an integer, and the same as 2.
std::uint8_t type_of_value(const Json& value);

// True when the keyword says nothing about which values are valid.
bool is_annotation(std::string_view keyword);
// The types of the values that the keyword constrains; kEveryType for applicators, for `type`, `enum` and `const`, and
// for unknown keywords. For `multipleOf` and the bounds of numbers: integers and numbers.
std::uint8_t constrained_types(std::string_view keyword);

// A pattern for the values of a format, narrower than the format where its specification is wider; empty for a format
// without a pattern.
std::string_view pattern_of_format(std::string_view format);

}  // namespace cloister::engine
