// Evidence of real GPUs, through NVIDIA's management library (NVML), which is opened at run time: the program needs no
// driver to start or to build. All calls run on a thread of their own, so a driver that hangs blocks no other thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "gpu/gpu_evidence_source.h"

namespace cloister::gpu {

struct NvmlOptions {
  std::string library = "libnvidia-ml.so.1";
  std::string switch_library = "libnvidia-nscq.so.2";  // opened in protected-PCIe mode only
  std::chrono::milliseconds deadline{30'000};          // for one call, including its time in the queue
  std::size_t queue_limit = 8;                         // number of callers that may wait; more are refused with kBusy
};

// kNoGpu when there is no library, no driver or no GPU now. Later losses are errors of the calls, and the source
// recovers from them by itself: the call after an error opens the library anew.
Result<std::unique_ptr<GpuEvidenceSource>> make_nvml_source(NvmlOptions options);

}  // namespace cloister::gpu
