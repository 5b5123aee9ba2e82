// Attributes of the kernel's virtual folders (configfs, sysfs): small files whose reads and writes are calls. Private to
// tee.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::tee {

using Deadline = std::chrono::steady_clock::time_point;

// Returns the whole content. A missing file, and one that is busy or has nothing to give yet (EBUSY, EAGAIN), is tried
// again until `deadline`, then kTimeout is returned; other failures are kTeeFailed and name the file. The kernel itself
// bounds what it does in one read.
Result<std::string> read_attribute(const std::filesystem::path& path, std::size_t limit_bytes, Deadline deadline);

// Writes all the bytes in one call, since the kernel takes them as one value. Busy files are tried again as in read_attribute().
Result<void> write_attribute(const std::filesystem::path& path, ByteView bytes, Deadline deadline);

}  // namespace cloister::tee
