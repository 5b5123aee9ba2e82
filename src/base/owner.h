// Names a caller by a digest, so that nobody who reads the name learns the token.
#pragma once

#include "base/bytes.h"

namespace cloister {

// store::StoreKeys::owner() of the first 16 bytes of SHA-256("cloister.owner.v1" || token); all zero for callers without a token.
using Owner = ByteArray<16>;

}  // namespace cloister
