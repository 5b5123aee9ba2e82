// secp256k1 with Ethereum's conventions: addresses, EIP-191 texts, recoverable signatures (libsecp256k1).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cloister::crypto {

using EthAddress = ByteArray<20>;
// r (32) || s (32) || v (1), v 27 or 28, s in the lower half of the group order.
using EthSignature = ByteArray<65>;

// Keccak-256(x || y)[12..32).
EthAddress eth_address(const ByteArray<64>& public_key);
// 0x + 40 hex digits, mixed case per EIP-55.
std::string eth_address_text(const EthAddress& address);
// 0x + 40 hex digits in any case.
Result<EthAddress> parse_eth_address(std::string_view text);
// The point x || y of a public key of 33 (compressed), 64 or 65 bytes; an error for any other length or off the curve.
Result<ByteArray<64>> parse_secp256k1_public_key(ByteView bytes);
// 02 or 03, then x.
ByteArray<33> compress_secp256k1(const ByteArray<64>& public_key);
// keccak256("\x19Ethereum Signed Message:\n" + decimal byte length + text), EIP-191 version 0x45.
ByteArray<32> eip191_digest(std::string_view text);

// A signing key. Any thread may call sign_text.
class Secp256k1Key {
 public:
  // `secret` is 32 bytes, 0 < secret < group order.
  static Result<Secp256k1Key> from_secret(ByteView secret);
  const ByteArray<64>& public_key() const { return public_key_; }  // x || y, big-endian
  EthAddress address() const { return eth_address(public_key_); }
  // EIP-191 personal_sign, deterministic (RFC 6979), low s.
  EthSignature sign_text(std::string_view text) const;
  // Signs a digest that has already been computed.
  EthSignature sign_digest(const ByteArray<32>& digest) const;

 private:
  Secp256k1Key() = default;
  SecretBytes secret_;
  ByteArray<64> public_key_{};
};

// The address that signed `text`. Rejects r or s of zero or not below the order, high s, v not in {0, 1, 27, 28}, and
// any length other than 65.
Result<EthAddress> recover_eip191(std::string_view text, ByteView signature);
// The public key, x || y, that signed `digest`, under the same rules. Any signature recovers to some key, so compare it.
Result<ByteArray<64>> recover_secp256k1(const ByteArray<32>& digest, ByteView signature);

}  // namespace cloister::crypto
