// What the SGX extension of a PCK certificate says about the platform (attestation.md section 3.1).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::verify {

// The family-model-stepping-platform number that names the platform's TCB information. Found by OID; a duplicate or a
// missing one is an error.
Result<ByteArray<6>> read_fmspc(const crypto::Certificate& pck);

}  // namespace cloister::verify
