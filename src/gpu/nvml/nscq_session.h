// NSCQ: attestation reports of the NVSwitches, which protected-PCIe mode needs beside those of the GPUs. The library is
// libnvidia-nscq, found at run time; its interface as NVIDIA publishes it in nscq.h and uses it in nvtrust and attestation-sdk.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/gpu_evidence.h"

namespace cloister::gpu {

// One entry a switch, arch "LS10". Blocks. One caller at a time. kNoGpu: no such library, or no switch.
Result<std::vector<evidence::GpuEvidence>> collect_switches(const std::string& library, const ByteArray<32>& nonce);

}  // namespace cloister::gpu
