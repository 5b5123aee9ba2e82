// Finds the evidence in a report of any form, so that its collateral can be fetched before the report is verified. It
// verifies nothing and is no parser of reports: collateral for evidence that it overlooks is not fetched, and
// collateral for false finds is fetched in vain.
#pragma once

#include <string_view>

#include "collateral/evidence.h"

namespace cloister::collateral {

// Searches JSON text, at most 64 MiB, and the JSON texts in its strings, three levels deep, for strings that hold a TDX
// quote (hex or base64) or an SNP report, and for objects and lists of GPU evidence. At most 64 quotes, 64 reports and
// 256 devices; the nonce is that of the first GPU evidence. Text that is no JSON has none.
Evidence find_evidence(std::string_view report_json);

}  // namespace cloister::collateral
