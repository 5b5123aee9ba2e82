// NvmlSession: NVML loaded and initialised, from open() until destruction. One thread at a time uses it. After an error
// of any call the session may be unusable (a GPU that was lost or reset invalidates its handles): open a new one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/gpu_evidence_source.h"
#include "gpu/nvml/nvml_abi.h"
#include "gpu/nvml/shared_library.h"

namespace cloister::gpu {

class NvmlSession {
 public:
  // kNoGpu: no such library, no driver, or no usable device. At most 64 devices.
  static Result<std::unique_ptr<NvmlSession>> open(const std::string& library);
  ~NvmlSession();
  NvmlSession(const NvmlSession&) = delete;
  NvmlSession& operator=(const NvmlSession&) = delete;

  Result<GpuStatus> status() const;
  // Returns one entry for each device, in the driver's order; arch is the device's: "HOPPER", "BLACKWELL".
  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) const;

 private:
  NvmlSession(SharedLibrary library, const nvml::Functions& functions)
      : library_(std::move(library)), nvml_(functions) {}
  Result<std::vector<nvml::Device>> devices() const;
  Result<std::string> architecture(nvml::Device device) const;
  Result<void> read_state(GpuStatus& status) const;
  Result<evidence::GpuEvidence> collect_one(nvml::Device device, const ByteArray<32>& nonce) const;

  const SharedLibrary library_;
  const nvml::Functions nvml_;
};

}  // namespace cloister::gpu
