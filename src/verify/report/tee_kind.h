// Finds which kind of TEE the evidence comes from, and checks whether the report says so.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "evidence/boot_evidence.h"
#include "verify/context.h"
#include "verify/tee.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Verifies a TDX quote or an SEV-SNP report and what the report says about the boot, and adds tee.simulator,
// report.tee_type, every check tdx.* or snp.*, every check boot.*, and the facts `tee_type` and `judged_at`. The kind
// of TEE comes from the evidence and its chain and never from what the report says of itself (`named`).
TeeFindings judge_tee(ByteView evidence, const std::optional<std::string>& named, const evidence::BootEvidence& boot,
                      const Context& context, Verdict& verdict);

}  // namespace cloister::verify
