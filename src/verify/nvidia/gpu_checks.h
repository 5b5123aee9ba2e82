// Judges the GPU evidence of a report: every device for itself, then the set (attestation.md section 8).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds every check nvidia.* and the facts `gpu` and `gpus`. `payload` is the nvidia_payload text; absent, the checks do
// not apply. `nonce` is the one that each device must have answered. `cpu_root` is what the quote beside it ends in.
void check_gpus(const std::optional<std::string>& payload, const ByteArray<32>& nonce, RootKind cpu_root,
                const Context& context, Verdict& verdict);

}  // namespace cloister::verify
