// Signatures that a TLS server's key makes over a document: ECDSA in DER over SHA-256, for any curve, as Go's standard
// library makes them.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::crypto {

// The key of `signer` is on P-256 or P-384. The signature is DER in its only form; high s is accepted. Any thread.
Result<void> verify_document_signature(const Certificate& signer, ByteView document, ByteView signature);

}  // namespace cloister::crypto
