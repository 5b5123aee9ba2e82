// GPU evidence as it travels: one entry a device, and the `nvidia_payload` text that NVIDIA's attestation service takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::evidence {

struct GpuEvidence {
  std::string arch;            // HOPPER, BLACKWELL, LS10: from the device, never a constant
  Bytes report;                // SPDM request || response || signature
  std::string certificate_chain_pem;  // leaf first
};

struct NvidiaPayload {
  std::string nonce_hex;
  std::string arch;
  std::vector<GpuEvidence> evidence_list;
};

// {"nonce","evidence_list":[{"certificate": base64 of the PEM,"evidence": base64 of the report,"arch"}],"arch"}
std::string write_nvidia_payload(const NvidiaPayload& payload);
// At most 64 devices. Strict: unknown shapes are errors.
Result<NvidiaPayload> parse_nvidia_payload(std::string_view json_text);

}  // namespace cloister::evidence
