// NSCQ: attestation reports of the NVSwitches, which protected-PCIe mode needs as well as those of the GPUs. The library is
// libnvidia-nscq, found at run time; NVIDIA publishes its interface in nscq.h and uses it in nvtrust and attestation-sdk.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/gpu_evidence.h"

namespace cloister::gpu {

// Returns one entry for each switch, arch "LS10". Blocks. One caller at a time. kNoGpu: no such library, or no switch.
Result<std::vector<evidence::GpuEvidence>> collect_switches(const std::string& library, const ByteArray<32>& nonce);

}  // namespace cloister::gpu
