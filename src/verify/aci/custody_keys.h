// Whether the keys whose custody is shown are the keys in use: a chain for a key that nobody uses proves nothing.
#pragma once

#include "evidence/aci/keyset.h"
#include "evidence/boot_evidence.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// keyset.custody: every key of the custody stands in the keyset, and where the policy names a KMS root every key of the
// keyset's receipts and encryption has a chain. boot.kms_custody judges the chains.
Check check_custody_keys(const evidence::BootEvidence& boot, const evidence::Keyset& keyset, const BootPolicy& policy);

}  // namespace cloister::verify
