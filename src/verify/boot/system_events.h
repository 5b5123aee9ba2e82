// Compares what dstack 0.6 measures as well as the compose text, the GPU policy and the init scripts, with that text.
#pragma once

#include "verify/boot/boot_case.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds boot.gpu_policy, the `gpu-policy-hash` event: SHA-256 of the canonical form of `requirements.gpu_policy`, or of
// {} where the text has none; and boot.init_scripts, the `init-script-hash` events: SHA-256 of each script, in order.
// Systems before 0.6 measure neither. `compose_hash`: the check whether the text is the measured one.
void check_system_events(const BootCase& boot, const Check& compose_hash, Verdict& verdict);

}  // namespace cloister::verify
