// Private to src/crypto: ECDSA with the nonce of RFC 6979, which OpenSSL 3.0 does not offer.
#pragma once

#include "base/bytes.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {

// r || s over the curve's digest of `message`. The same key and message always give the same signature. The
// multiplications by the nonce are constant-time, those modulo the order are OpenSSL's plain ones: enough for the
// simulator and for certificates that are issued at start, not for a service that signs at an attacker's request.
Bytes sign_deterministic(const EcKey::Impl& key, ByteView message);

}  // namespace cloister::crypto
