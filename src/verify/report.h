// Verifies a served attestation report: a pure function of (report, what was asked, collateral, policy, time).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evidence/chat_signature.h"
#include "verify/context.h"
#include "verify/expected.h"
#include "verify/verdict.h"

namespace cloister::verify {

// The addresses of legacy signatures that the quotes in the verified report bind; a reply's signer is compared with
// them. They are those of the report itself and of the instances that it lists; for a gateway's answer they are those
// of its models, never the gateway's own. Empty unless a check report_data.identity passed. The verdict's outcome says
// whether the evidence as a whole can be trusted.
std::vector<std::string> attested_addresses(const Verdict& report_verdict);
// The address of the report itself. Absent for a gateway's answer, which has none of its own.
std::optional<std::string> attested_address(const Verdict& report_verdict);

// Verifies the report as served, in any form (legacy L1 and L2, ACI, Cloister's own, a gateway's wrapping of
// several: docs/spec/legacy-proof.md, docs/spec/native-report.md), at `context.time`; verify/checks.def lists the
// checks. Which kind of TEE it is comes from the chain inside the quote, never from what the report says of
// itself. What needs collateral (patch level, expected measurements, GPU manifests, revocation) is skipped and
// required for real hardware, so that such a verdict is undetermined at best; for the simulated TEE it does not
// apply.
Verdict verify_report(std::string_view report_json, const Expected& expected, const Context& context);

// kUnsupported, with what the JSON seems to be, when it has the marks of no form that verify_report() reads. Every
// other fault of a report is part of the verdict.
Result<void> check_known_form(std::string_view report_json);

}  // namespace cloister::verify
