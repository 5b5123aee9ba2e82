// COSE_Sign1 (RFC 9052, RFC 9360) as NVIDIA signs manifests: ES384 with the signer's certificates next to the
// signature. This folder only parses; verify/nvidia verifies the certificates.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

struct CoseSign1 {
  std::vector<Bytes> certificates;  // header `x5chain`: DER, the signer's first; 1 to 8
  Bytes payload;
  Bytes signed_bytes;  // Sig_structure (RFC 9052, 4.4) without external data
  Bytes signature;     // r || s, 96 bytes
};

// Accepts the tagged form (18), with the payload inside. The protected header names the algorithm ES384 and may name a
// digest of the signer's certificate (`x5t`), which must match the first certificate. Refused: `crit`, an algorithm in
// the unprotected header, two chains. Other headers are ignored. Errors are kBadRim.
Result<CoseSign1> parse_cose_sign1(ByteView bytes);

// For tests: builds the item from these parts.
Bytes write_cose_sign1(const std::vector<Bytes>& certificates, ByteView payload, ByteView signature);
// What the item's signature covers.
Bytes cose_signed_bytes(const std::vector<Bytes>& certificates, ByteView payload);

}  // namespace cloister::codec
