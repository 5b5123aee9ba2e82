// Checks the application's identity in the event log (compose hash, app id, instance id, OS image, key provider), and
// MRCONFIGID, which repeats some of it.
#pragma once

#include "verify/boot/boot_case.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds boot.compose_hash, boot.app_id, boot.instance_id, boot.os_image_hash, boot.key_provider, boot.mr_config_id, and
// the facts that the log proves.
void check_boot_identity(const BootCase& boot, Verdict& verdict);

}  // namespace cloister::verify
