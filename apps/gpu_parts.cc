#include "apps/gpu_parts.h"

#include <string>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/log.h"
#include "collateral/rim_folder.h"
#include "crypto/hash.h"
#include "evidence/simulator_roots.h"
#include "gpu/nvml/nvml_source.h"
#include "gpu/nvml/pinned_library.h"
#include "gpu/simulator/simulator.h"
#include "verify/policy/policy_file.h"

namespace cloister::apps {
namespace {

constexpr std::size_t kPolicyLimit = 1u << 20;

using Source = std::unique_ptr<gpu::GpuEvidenceSource>;

bool is_real(std::string_view tee_type) { return tee_type != "none" && tee_type != evidence::kSimulatorName; }

Result<Source> make_nvml(const config::ServeOptions& options, const BeforeLibrary& before_library) {
  gpu::NvmlOptions nvml;
  if (!options.nvml_library.empty()) {
    TRY(pinned, gpu::pin_library(options.nvml_library));
    log::info("gpu library=" + options.nvml_library + " sha256=" + to_hex(pinned.sha256));
    if (before_library) TRY_VOID(before_library(pinned.sha256));
    nvml.library = pinned.path;
  }
  return gpu::make_nvml_source(std::move(nvml));
}

// In a real TEE a GPU that is there is one to be vouched for.
Result<Source> choose(const config::ServeOptions& options, std::string_view tee_type,
                      const BeforeLibrary& before_library) {
  if (!is_real(tee_type)) return Source();
  Result<Source> nvml = make_nvml(options, before_library);
  if (nvml) {
    log::info("gpu evidence: nvml, for the driver lists GPUs (--gpu auto)");
    return nvml;
  }
  if (nvml.error().code != ErrorCode::kNoGpu) return nvml.error();
  log::warn("gpu evidence: none (--gpu auto): " + nvml.error().message);
  return Source();
}

// Read at each check, so that a manifest that is added later counts.
Result<verify::Collateral> read_manifests(const std::string& folder) {
  TRY(read, collateral::read_rim_folder(folder));
  for (const std::string& problem : read.problems) log::warn("manifests: " + problem);
  verify::Collateral out;
  out.rims = std::move(read.rims);
  return out;
}

}  // namespace

Result<Source> make_gpu(const config::ServeOptions& options, std::string_view tee_type, const SecretBytes* seed,
                        const BeforeLibrary& before_library) {
  if (options.gpu == "none") return Source();
  if (options.gpu == "nvml") return make_nvml(options, before_library);
  if (seed != nullptr) return gpu::make_insecure_simulator({.seed = seed->clone()});
  if (options.gpu == "insecure-simulator") {
    // Next to a genuine quote, simulated GPU evidence would be taken for a real machine's.
    return fail(ErrorCode::kUsage,
                "--gpu insecure-simulator needs a simulated TEE: --tee insecure-simulator, or a dstack "
                "guest agent that is simulated");
  }
  return choose(options, tee_type, before_library);
}

Result<std::unique_ptr<reports::GpuGate>> make_gpu_gate(const config::ServeOptions& options, std::string_view tee_type,
                                                        gpu::GpuEvidenceSource* gpus) {
  std::unique_ptr<reports::GpuGate> none;
  const bool off = options.require_gpu_tee == "off" || options.allow_non_cc_gpu;
  const bool on = options.require_gpu_tee == "on" || (is_real(tee_type) && gpus != nullptr);
  // Read whether or not there is a gate now: a mistake in them must not stay hidden until the first machine with a GPU.
  verify::Policy policy;
  std::optional<ByteArray<32>> policy_digest;
  if (!options.gpu_policy_file.empty()) {
    TRY(text, read_regular_file(options.gpu_policy_file, kPolicyLimit));
    Result<verify::Policy> parsed = verify::parse_policy(text);
    if (!parsed) return fail(ErrorCode::kUsage, options.gpu_policy_file + ": " + parsed.error().message);
    policy = *std::move(parsed);
    policy_digest = crypto::sha256(as_bytes(text));
    if (policy.nvidia.require_nras) {
      return fail(ErrorCode::kUsage,
                  options.gpu_policy_file +
                      ": require_nras: a node asks no service for an opinion about its own GPUs; its verifiers do");
    }
  }
  if (!options.rim_dir.empty()) {
    TRY(readable, read_manifests(options.rim_dir));
    static_cast<void>(readable);
  }
  if (off || !on) {
    if (!options.gpu_policy_file.empty()) {
      return fail(
          ErrorCode::kUsage,
          "--gpu-policy would do nothing: no GPU of this node has to be attested before it takes prompts (--require-gpu-tee)");
    }
    if (off && is_real(tee_type) && gpus != nullptr) {
      log::warn("gpu gate: OFF. Prompts reach GPUs that are not attested; reports say so");
    }
    return none;
  }
  if (gpus == nullptr) return fail(ErrorCode::kUsage, "--require-gpu-tee on needs GPU evidence: see --gpu");
  reports::GpuGateOptions gate;
  // The gate sees GPUs alone: the other sections are for verifiers of the node.
  gate.policy.nvidia = std::move(policy.nvidia);
  gate.policy_digest = policy_digest;
  // A node that is simulated through and through may have simulated GPUs; a real one may not, whatever the policy says.
  gate.policy.accept_simulator = tee_type == evidence::kSimulatorName;
  gate.every = std::chrono::seconds(options.gpu_check_seconds);
  if (!options.rim_dir.empty()) {
    gate.collateral = [folder = options.rim_dir] { return read_manifests(folder); };
  }
  return std::make_unique<reports::GpuGate>(*gpus, std::move(gate), system_clock());
}

}  // namespace cloister::apps
