// The roots of simulated evidence: `insecure_simulator` on the wire, in logs and in verdicts. Their private keys are
// public, derived from a constant text, so a chain that ends here proves nothing about any machine. The simulators load
// the same certificates as the end of their chains; verify pins them under that one name.
#pragma once

#include <string_view>

#include "base/result.h"
#include "crypto/ecdsa.h"

namespace cloister::evidence {

constexpr std::string_view kSimulatorName = "insecure_simulator";
// Every common name below the roots also starts with this text.
constexpr std::string_view kSimulatorCommonNamePrefix = "INSECURE SIMULATOR ";

// P-256, in place of the Intel SGX Root CA.
std::string_view simulator_cpu_root_pem();
Result<crypto::EcKey> simulator_cpu_root_key();

// P-384, in place of the NVIDIA Device Identity CA.
std::string_view simulator_gpu_root_pem();
Result<crypto::EcKey> simulator_gpu_root_key();

}  // namespace cloister::evidence
