// Checks whether the links between the GPUs are protected (NVIDIA attestation-sdk, opaque fields 36 and 38).
#pragma once

#include <string>
#include <vector>

#include "codec/spdm.h"
#include "verify/nvidia/topology.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

// "encrypted", "clear", "not said", or "unknown" for a value without a known meaning. Only the versioned opaque data
// has this field.
std::string nvlink_state(const codec::SpdmReport& gpu);

// The check nvidia.nvlink by NvidiaPolicy::nvlink. Where the policy demands nothing, the check does not apply and shows
// what the GPUs say. `topology` is the check nvidia.topology of the same devices.
Check check_nvlink(const std::vector<TopologyMember>& members, const Check& topology, NvlinkRequirement required);

}  // namespace cloister::verify
