// Compares what devices measured with their reference manifests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/spdm.h"
#include "crypto/x509.h"
#include "verify/nvidia/rim_library.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct RimFindings {
  // Manifests whose revocation must be checked; null when there is no such manifest.
  const JudgedRim* driver = nullptr;
  const JudgedRim* vbios = nullptr;
  bool switch_without_driver = false;
  // {"driver_rim","vbios_rim","mismatches":[{"index" (for a CoRIM, "environment"),"source"}]}, and "purpose" for CoRIMs.
  Json facts = Json::object();
};

// Adds the checks <prefix>rim.*; `prefix` is "nvidia.gpu.<number>.".
RimFindings check_rims(const std::string& prefix, const codec::SpdmReport& report,
                       const std::vector<crypto::Certificate>& chain, RimLibrary& library, Verdict& verdict);

// Adds the same ids as not applicable, or skipped, all for one reason.
void add_rim_checks(const std::string& prefix, Check (*make)(std::string id, const std::string& why),
                    const std::string& why, Verdict& verdict);

}  // namespace cloister::verify
