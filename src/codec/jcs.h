// The JSON Canonicalization Scheme (RFC 8785): each JSON value has one sequence of bytes, so that it can be hashed and signed.
// Members are in the order of their names' UTF-16 code units, without white space, and numbers are as ECMAScript writes them.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

// Returns an Error (kBadJson) for what the scheme cannot express: integers that are no IEEE 754 double, and not written
// as one is (section 3.2.2.3); numbers that are not finite; text that is not UTF-8; duplicate member names; nesting
// deeper than 64 levels. Any thread.
Result<std::string> write_jcs(const Json& value);

}  // namespace cloister::codec
