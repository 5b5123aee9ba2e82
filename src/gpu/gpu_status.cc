#include "gpu/gpu_evidence_source.h"

namespace cloister::gpu {

std::string objection_to(const GpuStatus& status) {
  if (status.devices.empty()) return "the driver lists no GPU";
  if (!status.confidential) return "the driver " + status.driver_version + " knows no confidential computing";
  if (!*status.confidential) return "the GPUs are not in confidential-computing mode";
  if (status.developer_tools.value_or(true)) {
    return status.developer_tools ? "the GPUs are in developer-tools mode, which protects nothing"
                                  : "the driver does not say whether the GPUs are in developer-tools mode";
  }
  if (!status.production.value_or(false)) return "the GPUs do not run in the production environment";
  if (!status.ready) return "the driver does not say whether the GPUs take work";
  if (!*status.ready) return "the GPUs are not set ready (nvidia-smi conf-compute -srs 1, once they are attested)";
  return "";
}

}  // namespace cloister::gpu
