// Verifies how the TD was set up: attributes, extended features, owner, service TD.
#pragma once

#include "codec/tdx_quote.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds tdx.td_attributes.*, tdx.xfam, tdx.mr_service_td, tdx.vm_id, tdx.device_info, tdx.migration, tdx.mr_owner and tdx.mr_owner_config.
void add_td_checks(const codec::TdReport& report, const TdxPolicy& policy, Verdict& verdict);
// Adds the same checks as skipped, for a quote that could not be parsed.
void skip_td_checks(const std::string& reason, Verdict& verdict);

// The names of those set TDATTRIBUTES bits that have one: "SEPT_VE_DISABLE", "PKS" ...
std::vector<std::string> td_attribute_names(const ByteArray<8>& td_attributes);

}  // namespace cloister::verify
