#include "engine/dialect/schema_keywords.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace cloister::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::array kAnnotations = {"title"sv,      "description"sv, "default"sv,   "examples"sv,     "example"sv,
                                     "deprecated"sv, "readOnly"sv,    "writeOnly"sv, "$schema"sv,      "$comment"sv,
                                     "$defs"sv,      "definitions"sv, "nullable"sv,  "discriminator"sv};

constexpr std::uint8_t kNumeric = kIntegerType | kNumberType;
constexpr std::pair<std::string_view, std::uint8_t> kConstrained[] = {
    {"properties", kObjectType},
    {"required", kObjectType},
    {"additionalProperties", kObjectType},
    {"patternProperties", kObjectType},
    {"propertyNames", kObjectType},
    {"minProperties", kObjectType},
    {"maxProperties", kObjectType},
    {"dependentRequired", kObjectType},
    {"dependentSchemas", kObjectType},
    {"dependencies", kObjectType},
    {"unevaluatedProperties", kObjectType},
    {"items", kArrayType},
    {"prefixItems", kArrayType},
    {"additionalItems", kArrayType},
    {"minItems", kArrayType},
    {"maxItems", kArrayType},
    {"uniqueItems", kArrayType},
    {"contains", kArrayType},
    {"minContains", kArrayType},
    {"maxContains", kArrayType},
    {"unevaluatedItems", kArrayType},
    {"pattern", kStringType},
    {"format", kStringType},
    {"minLength", kStringType},
    {"maxLength", kStringType},
    {"contentEncoding", kStringType},
    {"contentMediaType", kStringType},
    {"contentSchema", kStringType},
    {"minimum", kNumeric},
    {"maximum", kNumeric},
    {"exclusiveMinimum", kNumeric},
    {"exclusiveMaximum", kNumeric},
    {"multipleOf", kNumeric},
};

#define CLOISTER_YEAR "[1-9][0-9]{3}"
// The 29th of February is left out, since its existence depends on the year.
#define CLOISTER_DATE                                                                                              \
  CLOISTER_YEAR                                                                                                    \
  "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[" \
  "0-8]))"
#define CLOISTER_TIME \
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
#define CLOISTER_BYTE "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"date", "^" CLOISTER_DATE "$"},
    {"time", "^" CLOISTER_TIME "$"},
    {"date-time", "^" CLOISTER_DATE "T" CLOISTER_TIME "$"},
    {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
    {"ipv4", "^(?:" CLOISTER_BYTE "\\.){3}" CLOISTER_BYTE "$"},
    {"email",
     "^[A-Za-z0-9]{1,16}(?:[._+-][A-Za-z0-9]{1,15}){0,2}@(?:[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,1}\\.){1,4}[A-Za-"
     "z]{2,12}$"},
};
#undef CLOISTER_YEAR
#undef CLOISTER_DATE
#undef CLOISTER_TIME
#undef CLOISTER_BYTE

}  // namespace

std::uint8_t types_of_word(std::string_view word) {
  if (word == "object") return kObjectType;
  if (word == "array") return kArrayType;
  if (word == "string") return kStringType;
  if (word == "integer") return kIntegerType;
  if (word == "number") return kIntegerType | kNumberType;
  if (word == "boolean") return kBooleanType;
  if (word == "null") return kNullType;
  return kNoType;
}

std::uint8_t type_of_value(const Json& value) {
  if (value.is_object()) return kObjectType;
  if (value.is_array()) return kArrayType;
  if (value.is_string()) return kStringType;
  if (value.is_number_integer()) return kIntegerType;
  if (value.is_number()) return std::trunc(value.get<double>()) == value.get<double>() ? kIntegerType : kNumberType;
  if (value.is_boolean()) return kBooleanType;
  return kNullType;
}

bool is_annotation(std::string_view keyword) {
  return keyword.starts_with("x-") || std::ranges::find(kAnnotations, keyword) != kAnnotations.end();
}

std::uint8_t constrained_types(std::string_view keyword) {
  const auto* found = std::ranges::find(kConstrained, keyword, &std::pair<std::string_view, std::uint8_t>::first);
  return found == std::end(kConstrained) ? std::uint8_t{kEveryType} : found->second;
}

std::string_view pattern_of_format(std::string_view format) {
  const auto* found = std::ranges::find(kFormats, format, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kFormats) ? std::string_view() : found->second;
}

}  // namespace cloister::engine
