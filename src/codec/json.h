// Strict parsing of untrusted JSON, and the compact form that this project writes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

struct JsonLimits {
  std::size_t max_bytes = 16u << 20;
  std::size_t max_depth = 64;
  std::size_t max_values = 1u << 20;  // a parsed value takes up to 50 times the memory of its text
};

// RFC 8259 text in valid UTF-8; duplicate member names, a byte order mark, trailing bytes, depth or values beyond the
// limit and numbers that are not finite are errors. The message gives the byte position and never quotes the text.
// Any thread; time grows with n log n of the text.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// Like parse_json(), for text of at most 1 MiB that holds secrets: no copy of a secret of 16 bytes or more stays in
// memory that was used for parsing, whether parsing succeeds or fails. The error message says less. Wipe the value when
// it is no longer needed.
Result<Json> parse_secret_json(std::string_view text, const JsonLimits& limits = {});

// Overwrites the bytes of every string in the value, except names of members.
void wipe(Json& value);

// Writes compact JSON. UTF-8 stays unchanged; bytes that are not UTF-8 are replaced by U+FFFD.
std::string write_json(const Json& value);

// Typed members of an object: a missing member or another type is an Error that names the member, in its message and as
// its `param`. The pointers live as long as `object`.
Result<std::string> string_member(const Json& object, std::string_view name);
Result<const Json*> object_member(const Json& object, std::string_view name);
Result<const Json*> array_member(const Json& object, std::string_view name);

}  // namespace cloister::codec
