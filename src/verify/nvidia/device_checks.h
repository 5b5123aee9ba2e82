// Judges the evidence of one GPU.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/spdm.h"
#include "crypto/x509.h"
#include "evidence/gpu_evidence.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What the device's own bytes hold; empty where they could not be read.
struct DeviceFindings {
  std::optional<codec::SpdmReport> report;
  std::vector<crypto::Certificate> chain;  // five certificates, leaf first, or none
  RootKind root = RootKind::kUnknown;
};

// Adds the checks nvidia.gpu.<number>.*.
DeviceFindings check_device(std::size_t number, const evidence::GpuEvidence& device, const ByteArray<32>& nonce,
                            const Context& context, Verdict& verdict);

// {"arch","model","driver_version","vbios_version"} as far as they could be read.
Json device_facts(const evidence::GpuEvidence& device, const DeviceFindings& findings);

}  // namespace cloister::verify
