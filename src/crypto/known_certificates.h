// Evidence and its collateral repeat the same certificates, and making an X.509 object of one costs about as much as
// verifying a signature. These functions save doing that more than once.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::crypto {

// Like parse_pem_chain(), but a certificate that equals one of `known` byte for byte becomes a copy of that one.
Result<std::vector<Certificate>> parse_pem_chain_with(const std::vector<Certificate>& known, ByteView pem,
                                                      std::size_t limit = 8);

// verify_ecdsa() with the key of `signer`, which has to be on `curve`.
Result<void> verify_ecdsa_by(const Certificate& signer, Curve curve, ByteView message, ByteView signature);

}  // namespace cloister::crypto
