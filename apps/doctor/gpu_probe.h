// The GPUs as this machine and their driver show them.
#pragma once

#include <string>

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// Finds "gpu.device", "gpu.driver", "gpu.mode" and "gpu.evidence". `library` is the path of NVML, "" for the system's;
// `rim_dir` is as for `cloister serve`. Blocks as long as the GPUs do.
Findings probe_gpu(const Roots& roots, const std::string& library, const std::string& rim_dir);

}  // namespace cloister::apps
