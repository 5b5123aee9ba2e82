// The roots that evidence may end in, compiled in. A root that comes with the evidence is compared with these byte for
// byte and never trusted by itself.
#pragma once

#include <string_view>
#include <vector>

#include "crypto/x509.h"

namespace cloister::verify {

// The kind of root that a chain ends in.
enum class RootKind {
  kUnknown,            // none of the pinned roots
  kVendor,             // Intel for the CPU, NVIDIA for GPUs
  kInsecureSimulator,  // the simulator's own, whose private key is public
};

enum class RootUse { kCpu, kGpu, kRim };  // kRim: NVIDIA's reference manifests; none is simulated

// "intel_sgx_root_ca", "nvidia_device_identity_ca", "nvidia_corim_signing_root_ca", "insecure_simulator", "unknown":
// the names in verdicts.
std::string_view root_name(RootUse use, RootKind kind);

// The kind of which the last certificate of `chain` is byte for byte. It says nothing yet about the rest of the chain.
RootKind claimed_root(RootUse use, const std::vector<crypto::Certificate>& chain);

// The pinned certificate. Null for kUnknown, and for a use that is not simulated.
const crypto::Certificate* pinned_root(RootUse use, RootKind kind);

}  // namespace cloister::verify
