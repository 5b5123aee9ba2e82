// Verifies a quote with the collateral of its platform: that it is the right platform, that the quoting enclave is the
// published one, and how well patched CPU, TDX module and quoting enclave are (Intel PCS API v4, TCB levels).
#pragma once

#include <optional>
#include <string>

#include "codec/tdx_quote.h"
#include "verify/policy.h"
#include "verify/tdx/judged_collateral.h"
#include "verify/tdx/pck_extension.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds tdx.fmspc, tdx.pce_id, tdx.qe_identity.*, tdx.seam.* and tdx.tcb.*, and the facts `tcb_status`,
// `tcb_status_parts`, `tcb_date` and `advisory_ids` once every level was found. `pck` is absent when the PCK
// certificate's extension could not be read.
void add_tcb_checks(const JudgedTdxCollateral& collateral, const codec::TdxQuote& quote,
                    const std::optional<PckExtension>& pck, const TdxPolicy& policy, UnixSeconds time,
                    Verdict& verdict);

// Adds the same checks where there is nothing to verify with: as `state` (skipped or not applicable), with this reason.
void add_tcb_checks_undone(State state, const std::string& reason, Verdict& verdict);

}  // namespace cloister::verify
