// The digest of the running program, which a rebuild from source must reproduce.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::identity {

// SHA-256 of /proc/self/exe, which is the started file even where its path has another file by now. Reads all of it, so
// call it once, at the start.
Result<ByteArray<32>> executable_digest();

}  // namespace cloister::identity
