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

// The whole content. A file that is not there yet, and one that is busy or has nothing to give yet (EBUSY, EAGAIN), is
// tried again until `deadline`, then kTimeout; other failures are kTeeFailed and name the file. What the kernel does in
// one read it bounds itself.
Result<std::string> read_attribute(const std::filesystem::path& path, std::size_t limit_bytes, Deadline deadline);

// One write of all the bytes: the kernel takes them as one value. Busy files as above.
Result<void> write_attribute(const std::filesystem::path& path, ByteView bytes, Deadline deadline);

}  // namespace cloister::tee
