// Digests and key derivation. Pure functions and one incremental hasher; safe on any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace cloister::crypto {

using Sha256Digest = ByteArray<32>;
using Sha384Digest = ByteArray<48>;

Sha256Digest sha256(ByteView bytes);
Sha384Digest sha384(ByteView bytes);
ByteArray<64> sha512(ByteView bytes);
ByteArray<64> sha512(ByteView bytes);
// The pre-standard Keccak of Ethereum (padding 0x01), not SHA3-256.
ByteArray<32> keccak256(ByteView bytes);

// Incremental SHA-256. The constructor allocates once, nothing else allocates; finish() resets the hasher, so it can be
// used again. Not safe for concurrent use.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 5869 with SHA-256. `length` at most 255 * 32.
SecretBytes hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info, std::size_t length);

// Cryptographically secure; aborts the process when the system has no randomness to give.
void fill_random(std::span<std::uint8_t> out);
// For ids, which must be unguessable but are no secrets: bytes come from a reserve of the calling thread, which is
// filled a few kilobytes at a time.
void fill_random_id(std::span<std::uint8_t> out);
Bytes random_bytes(std::size_t count);

}  // namespace cloister::crypto
