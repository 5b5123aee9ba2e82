// Checks that the keys whose custody is shown are the keys in use: a chain for a key that nobody uses proves nothing.
#pragma once

#include "evidence/aci/keyset.h"
#include "evidence/boot_evidence.h"
#include "verify/policy.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// keyset.custody: every key of the custody is in the keyset in the role that it was made for, and every key for
// receipts and encryption in the keyset has a chain, unless the policy accepts keys without one. Skipped where the
// policy names no root of the KMS: the chains come with the report, and anybody can make some. `chains` is
// boot.kms_custody, which verifies the chains, or null. `cpu_root` is the root of the quote's chain: a simulated TEE may
// have no chains, and those that it has must lead to the key provider that it measured.
Check check_custody_keys(const evidence::BootEvidence& boot, const evidence::Keyset& keyset, RootKind cpu_root,
                         const Check* chains, const Policy& policy);

}  // namespace cloister::verify
