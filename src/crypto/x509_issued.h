// One certificate under one pinned authority with an RSA key, as NVIDIA certifies the keys of its attestation service:
// the authority's own issuer is not published with it, so that the authority itself is pinned. Any thread.
#pragma once

#include "crypto/x509.h"

namespace cloister::crypto {

// Checks that `authority` issued `leaf`: names and key identifiers, a signature by RSA (PKCS #1 v1.5) of at least 2048
// bits with SHA-256, SHA-384 or SHA-512, both valid at `time`, the authority a CA that may sign certificates, the leaf
// none and, where it states a key usage, meant for signatures; no critical extension but basic constraints and key
// usage. That `authority` is to be believed is the caller's to know.
Result<void> verify_issued_by(const Certificate& leaf, const Certificate& authority, UnixSeconds time);

}  // namespace cloister::crypto
