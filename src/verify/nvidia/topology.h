// Checks how GPUs and NVSwitches are connected in protected PCIe mode.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "codec/spdm.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct TopologyMember {
  const codec::SpdmReport* report = nullptr;  // null when it could not be read
  bool is_switch = false;
  Bytes pdi = {};  // the device's name by its certificate (device_pdi()); empty when the certificate names none
};

// The check nvidia.topology. It does not apply when no GPU is in protected PCIe mode and there is no switch.
Check check_topology(const std::vector<TopologyMember>& members);

}  // namespace cloister::verify
