// The CPU TEE as this machine shows it.
#pragma once

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// "tee.cpu", "tee.interface" and, where a guest agent listens, "dstack.version". Waits for the agent for 3 s at most.
Findings probe_tee(const Roots& roots);

}  // namespace cloister::apps
