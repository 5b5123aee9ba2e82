// Checks what the 64 bytes of report data bind: identity, nonce, TLS key (layouts L1 and L2, docs/spec/legacy-proof.md).
#pragma once

#include "verify/context.h"
#include "verify/expected.h"
#include "verify/report/form.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds the checks report_data.*, the fact `report_data_layout` and, when a TLS key is in use, `tls_key_origin`. Call it
// after judge_tee(), whose checks of the event log decide whether the report's policy document counts.
void check_report_data(const ServedReport& report, ByteView identity, const evidence::ReportData& report_data,
                       const Expected& expected, const Policy& policy, Verdict& verdict);

}  // namespace cloister::verify
