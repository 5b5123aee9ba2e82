// Finds the evidence in a served report, to know what to fetch for it. It judges nothing and takes nothing for true: what
// is found here too much costs a request, what is missed leaves a check skipped.
#pragma once

#include <string_view>

#include "collateral/source.h"

namespace cloister::collateral {

// Any JSON that holds TDX quotes (members `intel_quote` or `quote`, hex or base64) or GPU evidence (`nvidia_payload`, or
// the text itself is one), at any depth: reports, lists of them, gateways' wrappings. At most 16 quotes and 64 devices;
// text that is no JSON holds nothing.
Evidence evidence_of_report(std::string_view json_text);

}  // namespace cloister::collateral
