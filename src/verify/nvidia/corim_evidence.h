// What a device claims of its own parts, as concise manifests speak of them (draft-ietf-rats-corim-11): the values of its
// table of contents, with the SPDM measurements that it points at, and those of its certificates.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "codec/comid.h"
#include "codec/spdm.h"
#include "crypto/x509.h"

namespace cloister::verify {

struct DeviceClaims {
  std::vector<codec::ComidTriple> measured;   // of the table of contents, values in place; no environment twice
  std::vector<codec::ComidTriple> certified;  // of the certificates' TcbInfo
  std::vector<std::string> manifests;         // names at the end of the table's locators, without ".corim"
};

// Only as true as the report's signature and the chain are. kUnsupported where nothing can be told: the report holds no
// table of contents, or one with parts or of a profile that is not known; kBadGpuEvidence or kBadCertificate for one that
// cannot be read, points at measurements that are not there, or says two values of one thing.
Result<DeviceClaims> device_claims(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain);

}  // namespace cloister::verify
