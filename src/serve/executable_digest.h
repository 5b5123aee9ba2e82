// The digest of the program that runs: what a rebuild from source must give again.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::serve {

// SHA-256 of /proc/self/exe, which is the file that was started even where its path has another one by now. Reads all
// of it: once, at the start.
Result<ByteArray<32>> executable_digest();

}  // namespace cloister::serve
