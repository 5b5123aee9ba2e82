// COSE_Sign1 (RFC 9052, RFC 9360) as NVIDIA signs manifests: ES384 with the certificates of the signer beside it. No
// judgement here: whose certificates they are, verify/nvidia decides.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

struct CoseSign1 {
  std::vector<Bytes> certificates;  // header `x5chain`: DER, the signer's first; 1 to 8
  Bytes payload;
  Bytes signed_bytes;               // Sig_structure (RFC 9052, 4.4) without external data
  Bytes signature;                  // r || s, 96 bytes
};

// Tagged (18), with the payload inside. The protected header names the algorithm ES384 and may name a digest of the
// signer's certificate (`x5t`), which must be that of the first. Refused: `crit`, an algorithm in the unprotected
// header, two chains. Other headers are passed over. Errors are kBadRim.
Result<CoseSign1> parse_cose_sign1(ByteView bytes);

// For tests: the item around these parts.
Bytes write_cose_sign1(const std::vector<Bytes>& certificates, ByteView payload, ByteView signature);
// What its signature covers.
Bytes cose_signed_bytes(const std::vector<Bytes>& certificates, ByteView payload);

}  // namespace cloister::codec
