#include "apps/doctor/gpu_probe.h"

#include <algorithm>

#include "base/clock.h"
#include "collateral/rim_folder.h"
#include "gpu/nvml/nvml_source.h"
#include "reports/gpu_gate.h"

namespace cloister::apps {
namespace {

constexpr const char* kNvidia = "0x10de";
constexpr const char* kDisplayClass = "0x03";

std::size_t count_devices(const Roots& roots) {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator it(roots.sys / "bus/pci/devices", error), end; !error && it != end;
       it.increment(error)) {
    const bool nvidia = read_text(it->path() / "vendor").value_or("") == kNvidia;
    count += nvidia && read_text(it->path() / "class").value_or("").starts_with(kDisplayClass);
  }
  return count;
}

std::string describe(const gpu::GpuStatus& status) {
  std::string out = "driver " + status.driver_version + ", " + std::to_string(status.devices.size()) +
                    (status.devices.size() == 1 ? " GPU" : " GPUs");
  for (const gpu::GpuDevice& device : status.devices) {
    out += "; " + device.arch + " " + device.uuid + " VBIOS " + device.vbios_version;
  }
  return out;
}

// The same check that a node makes before it accepts prompts.
Finding probe_evidence(gpu::GpuEvidenceSource& source, const std::string& rim_dir) {
  reports::GpuGateOptions options;
  if (!rim_dir.empty()) {
    options.collateral = [rim_dir]() -> Result<verify::Collateral> {
      TRY(read, collateral::read_rim_folder(rim_dir));
      verify::Collateral out;
      out.rims = std::move(read.rims);
      return out;
    };
  }
  reports::GpuGate gate(source, std::move(options), system_clock());
  gate.check();
  const reports::GpuGateState state = gate.state();
  if (!state.open)
    return problem("gpu.evidence", state.reason,
                   "a node with --require-gpu-tee takes no prompts until this is corrected");
  return good("gpu.evidence",
              std::to_string(state.gpus) + " devices attested; measurements " +
                  (state.measurements_compared ? "compared" : "not compared (--rim-dir), revocation not asked about"));
}

}  // namespace

Findings probe_gpu(const Roots& roots, const std::string& library, const std::string& rim_dir) {
  Findings out;
  const std::size_t count = count_devices(roots);
  if (count == 0) {
    out.push_back(problem("gpu.device", "no NVIDIA GPU on the PCI bus",
                          "pass a GPU through to this VM; a node without one: cloister doctor --no-gpu"));
  } else {
    out.push_back(
        good("gpu.device", std::to_string(count) + (count == 1 ? " NVIDIA GPU" : " NVIDIA GPUs") + " on the PCI bus"));
  }
  gpu::NvmlOptions options;
  if (!library.empty()) options.library = library;
  auto source = gpu::make_nvml_source(options);
  if (!source) {
    out.push_back(problem("gpu.driver", source.error().message,
                          "install NVIDIA's driver in this VM, with libnvidia-ml.so.1 of the same version"));
    return out;
  }
  const Result<gpu::GpuStatus> status = (*source)->status();
  if (!status) {
    out.push_back(problem("gpu.driver", status.error().message, "reset the GPU, or restart the VM"));
    return out;
  }
  out.push_back(good("gpu.driver", describe(*status)));
  if (const std::string words = gpu::objection_to(*status); !words.empty()) {
    out.push_back(
        problem("gpu.mode", words,
                "on the host: set the GPU's confidential-computing mode (nvidia_gpu_tools --set-cc-mode=on); in the "
                "guest, once attested: nvidia-smi conf-compute -srs 1"));
    return out;
  }
  out.push_back(good("gpu.mode", status->protected_pcie ? "protected PCIe, production, ready"
                                                        : "confidential computing, production, ready"));
  out.push_back(probe_evidence(**source, rim_dir));
  return out;
}

}  // namespace cloister::apps
