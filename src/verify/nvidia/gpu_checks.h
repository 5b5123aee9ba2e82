// Verifies GPU evidence: every device by itself, then the set.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "evidence/gpu_evidence.h"
#include "verify/context.h"
#include "verify/nvidia/nvidia_roots.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds every check nvidia.* and the facts `gpu` and `gpus`. `payload` is the nvidia_payload text; without it the checks
// do not apply unless the policy requires a GPU. `nonce` is the one that each device must have answered. `cpu_root` is
// the root of the quote next to it.
void check_gpus(const std::optional<std::string>& payload, const ByteArray<32>& nonce, RootKind cpu_root,
                const Context& context, Verdict& verdict);

// The fact gpu_binding: `how` the quote and the GPU evidence are bound, where there is such evidence and it is verified.
std::string_view gpu_binding(bool present, std::string_view how, const Policy& policy);

// The same for evidence that may stand alone. Only tests pass roots.
struct GpuQuestion {
  std::optional<ByteArray<32>> nonce;  // absent = freshness is skipped
  std::optional<RootKind> cpu_root;    // absent = there is no quote next to it
  NvidiaRoots roots;
};
void judge_gpu_payload(const std::optional<std::string>& payload, const GpuQuestion& question, const Context& context,
                       Verdict& verdict);
// For evidence that has already been parsed. An empty `nonce_hex` or `arch` makes no claim.
void judge_gpus(const evidence::NvidiaPayload& payload, const GpuQuestion& question, const Context& context,
                Verdict& verdict);

}  // namespace cloister::verify
