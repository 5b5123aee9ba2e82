// GpuEvidenceSource: asks the GPUs of this machine for attestation reports. Judging them is verify's work.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/gpu_evidence.h"

namespace cloister::gpu {

class GpuEvidenceSource {
 public:
  virtual ~GpuEvidenceSource() = default;
  // "nvml", "insecure_simulator".
  virtual std::string_view type() const = 0;
  // One entry a device, each with `nonce` inside its signed request. Blocks, perhaps for seconds; one caller at a time
  // is the source's own business. Never call from an event loop or the engine thread.
  virtual Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) = 0;
};

}  // namespace cloister::gpu
