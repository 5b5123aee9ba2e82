// A library's file as it was when it was read: the loader gets the bytes whose digest is known, whatever becomes of the file.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::gpu {

struct PinnedLibrary {
  std::string path;        // of a sealed copy in memory, for SharedLibrary::open() in this process
  ByteArray<32> sha256{};  // of the bytes
};

// Runs nothing of the library. The copy stays until the process ends: the loader knows libraries by their paths, so no other may ever get
// this path. Errors: kNoGpu when there is no such file, kIo and kTooLarge when it cannot be read or copied.
Result<PinnedLibrary> pin_library(const std::string& file);

}  // namespace cloister::gpu
