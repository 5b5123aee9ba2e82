// One function for each form of report: from the hardware to the JSON text that is served. Blocking as long as quotes
// and GPU evidence take: on workers only. Each works with the one epoch that it is given.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "reports/collected_evidence.h"
#include "reports/report_parts.h"
#include "reports/report_query.h"

namespace cloister::reports {

Result<std::string> make_legacy_report(const ReportParts& parts, const ReportQuery& query,
                                       const identity::Epoch& epoch);
Result<std::string> make_aci_report(const ReportParts& parts, const ReportQuery& query, const identity::Epoch& epoch);
Result<std::string> make_native_report(const ReportParts& parts, const ReportQuery& query,
                                       const identity::Epoch& epoch);

// The kind of evidence, not of its collector: dstack's is a TDX quote.
std::string_view wire_tee_type(const tee::Tee& tee);
// Adds to the evidence of any quote: `key_custody` and `ccel`, where they exist.
void add_custody(const identity::Keyring& keyring, Json& to);
void add_boot_table(const TeeEvidence& evidence, Json& to);

}  // namespace cloister::reports
