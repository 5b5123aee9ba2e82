// The JSON Canonicalization Scheme (RFC 8785): one sequence of bytes for one JSON value, so that it can be hashed and
// signed. Members in the order of their names' UTF-16 code units, no white space, numbers as ECMAScript writes them.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace cloister::codec {

// An Error (kBadJson) for what the scheme cannot carry: integers that are no IEEE 754 double, and not written as one is
// (section 3.2.2.3); numbers that are not finite; text that is not UTF-8; two members of one name; nesting deeper than
// 64 levels. Any thread.
Result<std::string> write_jcs(const Json& value);

}  // namespace cloister::codec
