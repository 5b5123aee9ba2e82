// Simulated GPU evidence: an SPDM report of 64 measurements signed under a five-certificate P-384 chain that ends in a
// root of our own, whose private key is public (see tee/simulator/simulator.h). The same seed gives the same devices
// and certificates; each report has a fresh responder nonce, as a real device's has.
#pragma once

#include <memory>

#include "base/secret.h"
#include "gpu/gpu_evidence_source.h"

namespace cloister::gpu {

struct SimulatorOptions {
  SecretBytes seed;      // 32 bytes, the same as the simulated TEE's
  int device_count = 1;  // 1 to 8
};

Result<std::unique_ptr<GpuEvidenceSource>> make_insecure_simulator(SimulatorOptions options);

}  // namespace cloister::gpu
