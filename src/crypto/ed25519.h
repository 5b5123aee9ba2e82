// Ed25519 (RFC 8032), pure form.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cloister::crypto {

class Ed25519Key {
 public:
  // `seed` is 32 bytes.
  static Result<Ed25519Key> from_seed(ByteView seed);
  const ByteArray<32>& public_key() const { return public_key_; }
  // Any thread.
  ByteArray<64> sign(ByteView message) const;

 private:
  Ed25519Key() = default;
  SecretBytes seed_;
  ByteArray<32> public_key_{};
};

// Strict: 32-byte key, 64-byte signature, S below the order, no small-order or non-canonical public key.
Result<void> verify_ed25519(ByteView public_key, ByteView message, ByteView signature);

}  // namespace cloister::crypto
