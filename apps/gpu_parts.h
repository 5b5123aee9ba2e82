// The GPU side of a node, made from its options: the source of evidence, and the gate that prompts pass.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "config/serve_options.h"
#include "gpu/gpu_evidence_source.h"
#include "reports/gpu_gate.h"

namespace cloister::apps {

// Called with the SHA-256 of the file that --nvml-library names, before anything of the file runs. An error keeps the file from being run.
using BeforeLibrary = std::function<Result<void>(const ByteArray<32>& sha256)>;

// Null: no GPU evidence. `tee_type` is the TEE's word on the wire, "none" without one; `seed` is the simulator's, null
// when the TEE is not simulated. Logs what `auto` chose and why.
Result<std::unique_ptr<gpu::GpuEvidenceSource>> make_gpu(const config::ServeOptions& options, std::string_view tee_type,
                                                         const SecretBytes* seed,
                                                         const BeforeLibrary& before_library = {});

// Null where --require-gpu-tee is off, or there is no GPU to require it of. `gpus` outlives the gate, which has not
// checked anything yet.
Result<std::unique_ptr<reports::GpuGate>> make_gpu_gate(const config::ServeOptions& options, std::string_view tee_type,
                                                        gpu::GpuEvidenceSource* gpus);

}  // namespace cloister::apps
