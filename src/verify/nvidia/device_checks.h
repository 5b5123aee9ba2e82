// Verifies the evidence of one device, GPU or NVSwitch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/spdm.h"
#include "crypto/x509.h"
#include "evidence/gpu_evidence.h"
#include "verify/context.h"
#include "verify/nvidia/nvidia_roots.h"
#include "verify/nvidia/revocation.h"
#include "verify/nvidia/rim_checks.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What the devices of one verdict share, so that what they have in common is verified once. One thread. The cost is the
// P-384 verifications, each made once: a device's report, leaf and device certificate; what devices of one make share
// (provisioner, model); a manifest's XML signature and signer; what manifests share (L3, L2); each OCSP answer and each
// responder; a token and each of its parts. One GPU alone: 5; with two manifests of different signers: 11; with the
// OCSP answers about the 7 certificates that have a responder: 18. Eight GPUs alone: 26, not 40.
struct DeviceJudge {
  DeviceJudge(const Context& judged_in, const NvidiaRoots& trusted, const std::optional<ByteArray<32>>& asked)
      : context(judged_in), roots(trusted), nonce(asked), rims(context, roots.rim, cache), revocation(context, cache) {}
  DeviceJudge(const DeviceJudge&) = delete;
  DeviceJudge& operator=(const DeviceJudge&) = delete;

  const Context& context;
  const NvidiaRoots roots;
  const std::optional<ByteArray<32>> nonce;  // nonce that each device must have answered; absent = freshness is skipped
  crypto::VerifiedLinks cache;
  RimLibrary rims;
  RevocationList revocation;
};

// What the device's own bytes hold; empty where they could not be parsed.
struct DeviceFindings {
  std::optional<codec::SpdmReport> report;
  std::vector<crypto::Certificate> chain;  // five certificates, leaf first, or none
  RootKind root = RootKind::kUnknown;
  std::string arch;  // architecture by the certificates; empty when unknown
  // {"arch","model","driver_version","vbios_version","ueid","opaque_data","nvlink","fsp_svn","driver_rim",
  // "vbios_rim","mismatches"} as far as known.
  Json facts = Json::object();
};

// Adds the checks nvidia.gpu.<number>.*. An empty `device.arch` makes no claim.
DeviceFindings check_device(std::size_t number, const evidence::GpuEvidence& device, DeviceJudge& judge,
                            Verdict& verdict);

}  // namespace cloister::verify
