// Whether what is written to disk can be read by who owns the disk.
#pragma once

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// "memory.swap".
Finding probe_swap(const Roots& roots);
// "disk.state": whether `folder`, or what is to hold it, lies on an encrypted volume.
Finding probe_disk(const Roots& roots, const std::filesystem::path& folder);

}  // namespace cloister::apps
