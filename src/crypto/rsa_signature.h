// RSA signatures (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017) with a bare public key, as virtual TPMs make them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

// `modulus` is big-endian, of 2048 to 4096 bits; the exponent is 65537. Any thread.
Result<void> verify_rsa_sha256(ByteView modulus, ByteView message, ByteView signature);

}  // namespace cloister::crypto
