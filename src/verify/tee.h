// Verifies the evidence of the CPU's TEE, with or without a report around it. Private to verify.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "evidence/boot_evidence.h"
#include "evidence/report_data.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What a report relies on. It is only as true as the checks are good.
struct TeeFindings {
  std::optional<evidence::ReportData> report_data;  // absent when the evidence could not be read
  RootKind root = RootKind::kUnknown;               // the root of its chain
};

// Adds tee.simulator, every check tdx.* and boot.*, and the facts of the quote.
TeeFindings judge_tdx(ByteView quote, const evidence::BootEvidence& boot, const Context& context, Verdict& verdict);

// Adds tee.simulator, every check snp.* except snp.report_data, every check boot.*, and the facts of the report. The report
// has no registers, so no log can prove anything in `boot`: what the policy expects of a log is skipped and required.
TeeFindings judge_snp(ByteView report, const Context& context, Verdict& verdict);

// True when these bytes are to be verified as an SEV-SNP report, by their size and version, and not as a quote.
bool is_snp_report(ByteView bytes);

}  // namespace cloister::verify
