// Evidence of real GPUs, through NVIDIA's management library (NVML), which is opened at run time: the program needs no
// driver to start or to build. All calls go through one thread of its own, so a driver that hangs holds up nobody.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "gpu/gpu_evidence_source.h"

namespace cloister::gpu {

struct NvmlOptions {
  std::string library = "libnvidia-ml.so.1";
  std::string switch_library = "libnvidia-nscq.so.2";  // opened in protected-PCIe mode only
  std::chrono::milliseconds deadline{30'000};          // a call, its time in the queue included
  std::size_t queue_limit = 8;                         // callers that wait; more are refused with kBusy
};

// kNoGpu when there is no library, no driver or no GPU now. Later losses are errors of the calls, and the source recovers
// from them by itself: each call after an error starts anew with the library.
Result<std::unique_ptr<GpuEvidenceSource>> make_nvml_source(NvmlOptions options);

}  // namespace cloister::gpu
