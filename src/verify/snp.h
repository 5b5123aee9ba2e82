// Verifies an AMD SEV-SNP attestation report (AMD 56860): a pure function of (report, expected report data, collateral,
// policy, time).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `report` is the 1,184 bytes as the firmware signs them. The chip's certificate (VCEK, or VLEK) and AMD's authorities come from
// `context.collateral.snp`: the certificate whose key verifies the signature is used. Without collateral, everything that it decides is
// skipped and required. `expected_report_data` is 64 bytes; without it, and without one that the policy names, freshness is a skipped
// required check. The verdict holds every check snp.*, tee.kind and tee.report_data; its facts hold the report's fields.
Verdict verify_snp(ByteView report, const std::optional<Bytes>& expected_report_data, const Context& context);

}  // namespace cloister::verify
