// The GPU side of a node, made from its options: the source of evidence, and the gate that prompts pass.
#pragma once

#include <memory>
#include <string_view>

#include "apps/serve_options.h"
#include "base/secret.h"
#include "gpu/gpu_evidence_source.h"
#include "serve/gpu_gate.h"

namespace cloister::apps {

// Null: no GPU evidence. `tee_type` is the TEE's name on the wire, "none" without one; `seed` is the simulator's, null
// when the TEE is not simulated. Logs what `auto` chose and why.
Result<std::unique_ptr<gpu::GpuEvidenceSource>> make_gpu(const ServeOptions& options, std::string_view tee_type,
                                                         const SecretBytes* seed);

// Null where --require-gpu-tee is off, or there is no GPU to require it of. `gpus` outlives the gate, which has not
// checked anything yet.
Result<std::unique_ptr<serve::GpuGate>> make_gpu_gate(const ServeOptions& options, std::string_view tee_type,
                                                      gpu::GpuEvidenceSource* gpus);

}  // namespace cloister::apps
