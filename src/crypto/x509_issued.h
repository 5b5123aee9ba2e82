// One certificate under one pinned authority with an RSA key, as NVIDIA certifies the keys of its attestation service.
// The authority's own issuer is not published with it, so the authority itself is pinned. Any thread.
#pragma once

#include "crypto/x509.h"

namespace cloister::crypto {

// Verifies that `authority` issued `leaf`: names and key identifiers, a signature by RSA (PKCS #1 v1.5) of at least
// 2048 bits with SHA-256, SHA-384 or SHA-512, both valid at `time`, the authority a CA that may sign certificates, the
// leaf no CA and, where it states a key usage, meant for signatures; no critical extension except basic constraints and
// key usage. The caller has to know that `authority` is trusted.
Result<void> verify_issued_by(const Certificate& leaf, const Certificate& authority, UnixSeconds time);

}  // namespace cloister::crypto
