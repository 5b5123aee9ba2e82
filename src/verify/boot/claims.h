// Checks what is served next to the quote and proves nothing by itself: `info`, `vm_config`, the compose text's images,
// GPU attestation at boot, key custody (docs/pitfalls.md, 6 and 40).
#pragma once

#include <map>
#include <string>

#include "verify/boot/boot_case.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds boot.tcb_info, boot.vm_config, boot.gpu_attestation, boot.images and boot.kms_custody.
void check_boot_claims(const BootCase& boot, Verdict& verdict);

}  // namespace cloister::verify
