// Judges how GPUs and NVSwitches are connected in protected PCIe mode (attestation.md section 13).
#pragma once

#include <vector>

#include "codec/spdm.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct TopologyMember {
  const codec::SpdmReport* report = nullptr;  // null when it could not be read
  bool is_switch = false;
};

// The check nvidia.topology. Does not apply when no GPU is in protected PCIe mode and there is no switch.
Check check_topology(const std::vector<TopologyMember>& members);

}  // namespace cloister::verify
