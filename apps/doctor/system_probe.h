// Clock, randomness, and the places where secrets could leave the memory.
#pragma once

#include "apps/doctor/finding.h"
#include "apps/doctor/roots.h"

namespace cloister::apps {

// "clock.sane", "clock.synchronised".
Findings probe_clock();
// "entropy.pool", "entropy.cpu".
Findings probe_entropy(const Roots& roots);
// "memory.swap", "memory.core_dumps", "memory.lock".
Findings probe_memory(const Roots& roots);

}  // namespace cloister::apps
