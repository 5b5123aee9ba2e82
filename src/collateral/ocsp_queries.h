// Lists the OCSP queries that NVIDIA's evidence needs: one for each certificate of the devices and of the manifests,
// except the roots. Private to collateral.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "collateral/evidence.h"
#include "collateral/nvidia.h"

namespace cloister::collateral {

// Each certificate is asked about once, each query with a fresh nonce of 32 bytes. Chains that cannot be read or do not
// end in NVIDIA's roots lead to no query. `rims` are the manifests as fetched.
std::vector<OcspQuery> ocsp_queries(const Evidence& evidence, const std::map<std::string, std::string>& rims);

}  // namespace cloister::collateral
