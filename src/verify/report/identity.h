// The signing identity of a report: an address, and its bytes that report data binds.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/chat_signature.h"

namespace cloister::verify {

// ecdsa: 20 bytes of the Ethereum address; ed25519: 32 bytes of the key.
Result<Bytes> parse_identity(evidence::SigningAlgo algo, const std::string& address);

// Checks that `public_key` (hex; ecdsa x || y or 04 || x || y, ed25519 the key) belongs to `identity`.
Result<void> check_public_key(evidence::SigningAlgo algo, const std::string& public_key, ByteView identity);

}  // namespace cloister::verify
