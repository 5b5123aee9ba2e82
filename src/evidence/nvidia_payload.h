// GPU evidence of one node: one entry for each device.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace cloister::evidence {

struct GpuEvidence {
  std::string arch;                           // HOPPER, BLACKWELL, RUBIN, LS10: from the device, never a constant
  Bytes report;                               // SPDM request || response || signature
  std::string certificate_chain_pem;          // leaf first
  std::string driver_version, vbios_version;  // hints of NVIDIA's SDK; empty = none. Only the report's own values count
};

struct NvidiaPayload {
  std::string nonce_hex;  // 64 digits, lower-case once parsed; empty for a bare list without one
  std::string arch;
  std::vector<GpuEvidence> evidence_list;  // may be empty: gateways without GPU evidence serve such payloads
};

}  // namespace cloister::evidence
