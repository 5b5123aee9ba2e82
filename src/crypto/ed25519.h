// Ed25519 (RFC 8032), pure form.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

// A signing key; the private half lies in the cryptographic library's memory and is wiped when the key is destroyed.
class Ed25519Key {
 public:
  // `seed` is 32 bytes.
  static Result<Ed25519Key> from_seed(ByteView seed);
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;
  ~Ed25519Key();

  const ByteArray<32>& public_key() const { return public_key_; }
  // Any thread.
  ByteArray<64> sign(ByteView message) const;

 private:
  struct Impl;
  explicit Ed25519Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  ByteArray<32> public_key_{};
};

// Strict: 32-byte key, 64-byte signature, S below the order, no small-order or non-canonical public key.
Result<void> verify_ed25519(ByteView public_key, ByteView message, ByteView signature);

}  // namespace cloister::crypto
