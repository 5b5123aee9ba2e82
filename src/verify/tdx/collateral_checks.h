// Verifies the collateral itself at a time: what it says, who signed it, from when until when it is valid, and what it
// revokes. Each part is signed on its own, so each is verified on its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/x509.h"
#include "verify/policy.h"
#include "verify/tdx/judged_collateral.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds every check tdx.collateral.* and tdx.pck.revocation, and the facts `evaluation_data_numbers` and
// `collateral_expires`. `pck_chain` is leaf, intermediate and root as they came, or empty.
void add_collateral_checks(const JudgedTdxCollateral& collateral, const std::vector<crypto::Certificate>& pck_chain,
                           const TdxPolicy& policy, UnixSeconds time, Verdict& verdict);

// Adds the same checks where there is nothing to verify: as `state` (skipped or not applicable), with this reason.
void add_collateral_checks_undone(State state, const std::string& reason, Verdict& verdict);

// When the first of all windows ends; absent when no part of the collateral could be read.
std::optional<UnixSeconds> collateral_expiry(const JudgedTdxCollateral& collateral,
                                             const std::vector<crypto::Certificate>& pck_chain);

}  // namespace cloister::verify
