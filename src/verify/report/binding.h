// Judges what the 64 bytes of report data bind: identity, nonce, TLS key (peers.md section 1.0, layouts L1 and L2).
#pragma once

#include "verify/report.h"
#include "verify/report/form.h"

namespace cloister::verify {

// Adds the checks report_data.* and the fact `report_data_layout`.
void check_report_data(const ServedReport& report, ByteView identity, const evidence::ReportData& report_data,
                       const Expected& expected, Verdict& verdict);

}  // namespace cloister::verify
