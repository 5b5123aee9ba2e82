// What a device claims about its own parts, in the terms of concise manifests (draft-ietf-rats-corim-11): the values of
// its table of contents, with the SPDM measurements that the table points at, and those of its certificates.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "codec/comid.h"
#include "codec/spdm.h"
#include "crypto/x509.h"

namespace cloister::verify {

struct DeviceClaims {
  std::vector<codec::ComidTriple> measured;   // from the table of contents, with values filled in; no environment twice
  std::vector<codec::ComidTriple> certified;  // from the certificates' TcbInfo
  std::vector<std::string> manifests;         // names at the end of the table's locators, without ".corim"
};

// The claims are as true as the report's signature and the chain. kUnsupported where nothing can be claimed: the report
// holds no table of contents, or one with unknown parts or of an unknown profile; kBadGpuEvidence or kBadCertificate
// for one that cannot be read, points at missing measurements, or states two values of one thing.
Result<DeviceClaims> device_claims(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain);

}  // namespace cloister::verify
