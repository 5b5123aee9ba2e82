// The CPU TEE as this machine shows it.
#pragma once

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// Finds "tee.cpu", "tee.interface" and, where a guest agent listens, "dstack.version": whether it answers as a node
// needs, for which it has to take a quote of its own. Waits for it for some seconds at most.
Findings probe_tee(const Roots& roots);

}  // namespace cloister::apps
