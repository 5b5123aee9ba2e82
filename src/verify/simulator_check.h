// Which kind of TEE evidence comes from, and whether that is accepted. The kind comes from the quote's chain, never
// from what a report says of itself. Private to verify.
#pragma once

#include <string_view>

#include "evidence/report_data.h"
#include "verify/check.h"
#include "verify/policy.h"
#include "verify/roots.h"

namespace cloister::verify {

Check check_simulator(RootKind root, const Policy& policy);
// tee.kind: `kind` is "tdx" or "sev_snp", by the form of the evidence. A policy that names no kinds is about TDX.
Check check_tee_kind(std::string_view kind, RootKind root, const Policy& policy);
// tee.report_data: report data must be one of those that the policy names, whatever else a report binds.
Check check_named_report_data(const evidence::ReportData& report_data, const Policy& policy);
// True when facts of a verdict, or those of a part of its evidence (a session's upstream, a gateway's models), are of simulated evidence.
bool says_simulated(const Json& facts);
// The value of the fact `tee_type`: "tdx", "insecure_simulator", "unknown".
std::string_view tee_type_of(RootKind root);

}  // namespace cloister::verify
