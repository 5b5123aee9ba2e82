// The keywords of JSON Schema by what they say something about, and what the engine's grammar does with them.
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
  kNumberType = 16,  // that is no integer
  kBooleanType = 32,
  kNullType = 64,
  kEveryType = 127,
};

// The types that the word of a schema's "type" stands for; kNoType for a word that is none.
std::uint8_t types_of_word(std::string_view word);
// The one type of a value: as in JSON Schema, 2.0 is an integer, and the same as 2.
std::uint8_t type_of_value(const Json& value);

// It says nothing about which values are valid.
bool is_annotation(std::string_view keyword);
// The types of the values that the keyword constrains; kEveryType for applicators, for `type`, `enum` and `const`, and
// for words that are not known. `multipleOf` and the bounds of numbers: integers and numbers.
std::uint8_t constrained_types(std::string_view keyword);

// A pattern for the values of a format, narrower than the format where its specification is wider; empty for a format
// that there is none for.
std::string_view pattern_of_format(std::string_view format);

}  // namespace cloister::engine
