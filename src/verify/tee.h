// Judges the evidence of the CPU's TEE, with or without a report around it. Private to verify.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "evidence/boot_evidence.h"
#include "evidence/report_data.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What a report builds on. Only as true as the checks are good.
struct TeeFindings {
  std::optional<evidence::ReportData> report_data;  // absent when the evidence could not be read
  RootKind root = RootKind::kUnknown;               // what its chain ends in
};

// Adds tee.simulator, every check tdx.* and boot.*, and the facts of the quote.
TeeFindings judge_tdx(ByteView quote, const evidence::BootEvidence& boot, const Context& context, Verdict& verdict);

// Adds tee.simulator, every check snp.* but snp.report_data, every check boot.*, and the facts of the report. It has no
// registers, so that nothing in `boot` can be proven by a log: what the policy expects of one is skipped and required.
TeeFindings judge_snp(ByteView report, const Context& context, Verdict& verdict);

// Whether these bytes are to be judged as an SEV-SNP report, by their size and version, and not as a quote.
bool is_snp_report(ByteView bytes);

}  // namespace cloister::verify
