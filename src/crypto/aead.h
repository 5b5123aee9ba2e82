// Authenticated encryption with XAES-256-GCM (C2SP, version 1): AES-256-GCM (NIST SP 800-38D) under a key of its own for each
// message, derived from the key and from half of a nonce of 24 bytes (SP 800-108 with CMAC). Random nonces of that length do
// not collide before 2^80 messages; those of plain AES-256-GCM may after 2^32, which a busy node reaches in weeks.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

inline constexpr std::size_t kAeadNonceBytes = 24;
inline constexpr std::size_t kAeadTagBytes = 16;
// How many bytes a sealed text is longer than the plain one.
inline constexpr std::size_t kAeadExtraBytes = kAeadNonceBytes + kAeadTagBytes;

// One key, prepared once. Any thread.
class AeadKey {
 public:
  explicit AeadKey(ByteView key);  // 32 bytes
  AeadKey(AeadKey&&) noexcept;
  AeadKey& operator=(AeadKey&&) noexcept;
  ~AeadKey();

  // Appends a fresh nonce, the ciphertext and the tag to `out`. `associated` is authenticated and not stored.
  void seal(ByteView associated, ByteView plain, std::string& out) const;
  // Returns what seal() was given, from what it appended. kBadSignature when any part of it, including `associated`, differs.
  Result<std::string> open(ByteView associated, std::string_view sealed) const;

  // Like seal() with a given nonce, for test vectors: appends ciphertext and tag.
  void seal_with(ByteView nonce, ByteView associated, ByteView plain, std::string& out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloister::crypto
