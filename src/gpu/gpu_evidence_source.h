// GpuEvidenceSource: asks the GPUs of this machine for attestation reports. Judging them is verify's work.
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

// What the driver says of the GPUs. Its word alone: it proves nothing to anybody outside this machine. A member without
// a value is one that this driver cannot tell.
struct GpuStatus {
  std::string driver_version;
  std::vector<GpuDevice> devices;
  std::optional<bool> confidential;     // confidential-computing or protected-PCIe mode is on
  std::optional<bool> ready;            // the GPUs take work
  std::optional<bool> developer_tools;  // a mode without protection, for debugging
  std::optional<bool> production;       // keys of a production device
  bool protected_pcie = false;          // several GPUs behind NVSwitches, which are attested too
};

// Why these GPUs must not be given anything to protect, in one line; "" when nothing speaks against it.
std::string objection_to(const GpuStatus& status);

class GpuEvidenceSource {
 public:
  virtual ~GpuEvidenceSource() = default;
  // "nvml", "insecure_simulator".
  virtual std::string_view type() const = 0;
  // One entry a device, each with `nonce` inside its signed request. Blocks, perhaps for seconds; one caller at a time
  // is the source's own business, and kBusy its answer to more than it wants to queue. Never call from an event loop or
  // the engine thread.
  virtual Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) = 0;
  // As collect(): it blocks, any thread may call.
  virtual Result<GpuStatus> status() = 0;
};

}  // namespace cloister::gpu
