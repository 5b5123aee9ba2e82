// Checks whether the disk's owner can read what is written to it.
#pragma once

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// "memory.swap".
Finding probe_swap(const Roots& roots);
// "disk.state": whether `folder`, or the folder that will hold it, lies on an encrypted volume.
Finding probe_disk(const Roots& roots, const std::filesystem::path& folder);

}  // namespace cloister::apps
