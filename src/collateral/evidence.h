// The evidence that collateral is fetched for.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "evidence/gpu_evidence.h"

namespace cloister::collateral {

// The evidence to be verified. Evidence that cannot be read needs nothing, nor does simulated evidence: the verdict says why.
struct Evidence {
  std::vector<Bytes> quotes;  // TDX
  std::vector<evidence::GpuEvidence> devices;
  std::string gpu_nonce_hex;  // the nonce that the devices answered; for NRAS
  std::vector<Bytes> snp_reports;
};

}  // namespace cloister::collateral
