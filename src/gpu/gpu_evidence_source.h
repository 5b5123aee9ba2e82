// GpuEvidenceSource: asks the GPUs of this machine for attestation reports. src/verify verifies the reports.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/gpu_evidence.h"

namespace cloister::gpu {

struct GpuDevice {
  std::string uuid, arch, vbios_version;  // printable ASCII
};

// What the driver says about the GPUs. It is the driver's word alone and proves nothing to anybody outside this
// machine. A member has no value where the driver cannot tell.
struct GpuStatus {
  std::string driver_version;
  std::vector<GpuDevice> devices;
  std::optional<bool> confidential;     // confidential-computing or protected-PCIe mode is on
  std::optional<bool> ready;            // the GPUs accept work
  std::optional<bool> developer_tools;  // a mode without protection, for debugging
  std::optional<bool> production;       // keys of a production device
  bool protected_pcie = false;          // several GPUs behind NVSwitches, which are attested too
};

// Says in one line why these GPUs must not be given anything to protect; "" when there is no objection.
std::string objection_to(const GpuStatus& status);

class GpuEvidenceSource {
 public:
  virtual ~GpuEvidenceSource() = default;
  // "nvml", "insecure_simulator".
  virtual std::string_view type() const = 0;
  // Returns one entry for each device, with `nonce` inside its signed request. The call blocks, perhaps for seconds.
  // The source itself serialises its callers, and answers kBusy to more than it wants to queue. Never call it from an
  // event loop or the engine thread.
  virtual Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) = 0;
  // Blocks as collect() does; any thread may call.
  virtual Result<GpuStatus> status() = 0;
};

}  // namespace cloister::gpu
