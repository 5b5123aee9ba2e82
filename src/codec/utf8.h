// Checks whether bytes are UTF-8 (RFC 3629), with simdjson: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "base/bytes.h"

namespace cloister::codec {

bool is_utf8(ByteView bytes);

}  // namespace cloister::codec
