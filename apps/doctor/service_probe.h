// The makers' services, which verifiers ask for collateral. A serving node asks none of them.
#pragma once

#include "apps/doctor/finding.h"
#include "collateral/endpoints.h"

namespace cloister::apps {

// One line for each: "collateral.intel", "collateral.nvidia_rim", "collateral.nvidia_ocsp", "collateral.amd". Asks them
// all at once, for 10 s at most. The findings are advice: a machine that only serves needs none of them.
Findings probe_services(const collateral::Endpoints& endpoints);

}  // namespace cloister::apps
