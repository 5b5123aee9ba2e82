// Finds the evidence in a report of whatever shape, so that its collateral can be fetched before it is judged. It
// judges nothing and is no parser of reports: what it overlooks is not fetched, what it finds too much is fetched in
// vain.
#pragma once

#include <string_view>

#include "collateral/source.h"

namespace cloister::collateral {

// Looks through JSON text, at most 64 MiB, and the JSON texts in its strings, three levels deep: strings that hold a
// TDX quote (hex or base64) or an SNP report, and objects and lists of GPU evidence. At most 64 quotes, 64 reports and
// 256 devices; the nonce is that of the first GPU evidence. Text that is no JSON has none.
Evidence find_evidence(std::string_view report_json);

}  // namespace cloister::collateral
