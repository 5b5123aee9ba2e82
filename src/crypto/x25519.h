// X25519 (RFC 7748): a key pair that others encrypt to.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

// The private half lies in the cryptographic library's memory and is wiped when the key is destroyed.
class X25519Key {
 public:
  // `secret` is any 32 bytes; clamped as in RFC 7748, section 5.
  static Result<X25519Key> from_secret(ByteView secret);
  X25519Key(X25519Key&&) noexcept;
  X25519Key& operator=(X25519Key&&) noexcept;
  ~X25519Key();

  const ByteArray<32>& public_key() const { return public_key_; }

 private:
  struct Impl;
  explicit X25519Key(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  ByteArray<32> public_key_{};
};

}  // namespace cloister::crypto
