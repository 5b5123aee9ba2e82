// The firmware digest (FWID) in a GPU's attestation certificate
// (TCG DICE Attestation Architecture).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/x509.h"

namespace cloister::verify {

// Accepts Hopper's form (OID 2.23.133.5.4.1) or DICE TcbInfo (2.23.133.5.4.1.1). Absent when the certificate has
// neither; an error when it has one that cannot be read.
Result<std::optional<ByteArray<48>>> read_fwid(const crypto::Certificate& leaf);

}  // namespace cloister::verify
