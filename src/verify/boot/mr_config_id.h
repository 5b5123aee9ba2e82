// Compares MRCONFIGID, which the host fixes when it starts the VM, with what the event log says of the application
// (dstack, forms 1 and 2).
#pragma once

#include "verify/boot/boot_case.h"
#include "verify/verdict.h"

namespace cloister::verify {

// boot.mr_config_id: unset, or one of dstack's three forms. 1: 01 || compose hash || zeros.
// 2: 02 || Keccak-256(compose hash || app id || kind of key provider || its id) || zeros.
// 3: 03 || SHA-256("dstack-mr-config-v3:" || 00 || canonical document) || zeros. The
// document
// {"version":3,"compose_hash","key_provider","app_id"?,"instance_id"?,"key_provider_id"?,"gpu_policy_hash"?,
// "init_script_hashes"?} is rebuilt from the log; the host may leave out members with a
// question mark, so every combination of them is tried (dstack: dstack-types, mr_config).
Check check_mr_config_id(const BootCase& boot);

}  // namespace cloister::verify
