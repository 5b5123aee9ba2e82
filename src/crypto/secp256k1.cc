#include "crypto/secp256k1.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

// One context for the process, blinded once against side channels and only read afterwards, so any thread may use it.
const secp256k1_context* context() {
  static const secp256k1_context* const shared = [] {
    secp256k1_context* made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    ByteArray<32> blinding;
    fill_random(blinding);
    require(made != nullptr && secp256k1_context_randomize(made, blinding.data()) == 1, "secp256k1 context");
    explicit_bzero(blinding.data(), blinding.size());
    return made;
  }();
  return shared;
}

ByteArray<64> coordinates(const secp256k1_pubkey& key) {
  ByteArray<65> encoded;
  std::size_t size = encoded.size();
  require(secp256k1_ec_pubkey_serialize(context(), encoded.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED) == 1,
          "secp256k1 public key");
  ByteArray<64> out;
  std::copy(encoded.begin() + 1, encoded.end(), out.begin());
  return out;
}

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

// Returns 0 or 1; absent for a value that is no recovery id of Ethereum's.
std::optional<int> recovery_id(std::uint8_t v) {
  if (v == 0 || v == 1) return v;
  if (v == 27 || v == 28) return v - 27;
  return std::nullopt;
}

}  // namespace

EthAddress eth_address(const ByteArray<64>& public_key) {
  const ByteArray<32> hash = keccak256(public_key);
  EthAddress out;
  std::copy(hash.begin() + 12, hash.end(), out.begin());
  return out;
}

std::string eth_address_text(const EthAddress& address) {
  std::string text = to_hex(address);
  // EIP-55: a letter is upper case when the matching digit of the hash of the lower-case text is 8 or more.
  const ByteArray<32> hash = keccak256(as_bytes(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int digit = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
    if (text[i] >= 'a' && digit >= 8) text[i] = static_cast<char>(text[i] - 'a' + 'A');
  }
  return "0x" + text;
}

Result<EthAddress> parse_eth_address(std::string_view text) {
  if (!text.starts_with("0x")) return fail(ErrorCode::kBadHex, "an Ethereum address starts with 0x");
  return from_hex_exactly<20>(text.substr(2));
}

Result<ByteArray<64>> parse_secp256k1_public_key(ByteView bytes) {
  Bytes encoded;
  if (bytes.size() == 64) encoded.push_back(4);  // uncompressed, without its prefix
  append(encoded, bytes);
  const bool compressed = encoded.size() == 33 && (encoded[0] == 2 || encoded[0] == 3);
  const bool whole = encoded.size() == 65 && encoded[0] == 4;
  secp256k1_pubkey key;
  if ((!compressed && !whole) || secp256k1_ec_pubkey_parse(context(), &key, encoded.data(), encoded.size()) != 1) {
    return fail(ErrorCode::kBadKey, "not a secp256k1 public key of 33, 64 or 65 bytes");
  }
  return coordinates(key);
}

ByteArray<33> compress_secp256k1(const ByteArray<64>& public_key) {
  ByteArray<33> out;
  out[0] = static_cast<std::uint8_t>(2 | (public_key.back() & 1));
  std::copy_n(public_key.begin(), 32, out.begin() + 1);
  return out;
}

ByteArray<32> eip191_digest(std::string_view text) {
  std::string message = "\x19"
                        "Ethereum Signed Message:\n" +
                        std::to_string(text.size());
  message += text;
  return keccak256(as_bytes(message));
}

Result<Secp256k1Key> Secp256k1Key::from_secret(ByteView secret) {
  if (secret.size() != 32) {
    return fail(ErrorCode::kBadKey, "a secp256k1 key has 32 bytes, got " + std::to_string(secret.size()));
  }
  secp256k1_pubkey public_key;
  if (secp256k1_ec_pubkey_create(context(), &public_key, secret.data()) != 1) {
    return fail(ErrorCode::kBadKey, "a secp256k1 key must be above zero and below the group order");
  }
  Secp256k1Key key;
  key.secret_ = SecretBytes(secret);
  key.public_key_ = coordinates(public_key);
  return key;
}

EthSignature Secp256k1Key::sign_text(std::string_view text) const { return sign_digest(eip191_digest(text)); }

EthSignature Secp256k1Key::sign_digest(const ByteArray<32>& digest) const {
  secp256k1_ecdsa_recoverable_signature signature;
  // The library's default nonce is RFC 6979 and its signatures have low s.
  require(secp256k1_ecdsa_sign_recoverable(context(), &signature, digest.data(), secret_.expose().data(), nullptr,
                                           nullptr) == 1,
          "secp256k1 signature");
  EthSignature out;
  int id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.data(), &id, &signature);
  out[64] = static_cast<std::uint8_t>(27 + id);
  return out;
}

Result<ByteArray<64>> recover_secp256k1(const ByteArray<32>& digest, ByteView signature) {
  if (signature.size() != 65) {
    return fail(ErrorCode::kBadSignature,
                "an Ethereum signature has 65 bytes (r, s, v), got " + std::to_string(signature.size()));
  }
  const std::optional<int> id = recovery_id(signature[64]);
  if (!id) {
    return fail(ErrorCode::kBadSignature, "v must be 0, 1, 27 or 28, got " + std::to_string(signature[64]));
  }
  if (all_zero(signature.first(32)) || all_zero(signature.subspan(32, 32))) {
    return fail(ErrorCode::kBadSignature, "r and s must not be zero");
  }
  secp256k1_ecdsa_recoverable_signature recoverable;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &recoverable, signature.data(), *id) != 1) {
    return fail(ErrorCode::kBadSignature, "r and s must be below the group order");
  }
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &recoverable);
  if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1) {
    return fail(ErrorCode::kBadSignature, "s is in the upper half of the group order (malleable signature)");
  }
  secp256k1_pubkey public_key;
  if (secp256k1_ecdsa_recover(context(), &public_key, &recoverable, digest.data()) != 1) {
    return fail(ErrorCode::kBadSignature, "no public key belongs to this signature");
  }
  return coordinates(public_key);
}

Result<EthAddress> recover_eip191(std::string_view text, ByteView signature) {
  TRY(public_key, recover_secp256k1(eip191_digest(text), signature));
  return eth_address(public_key);
}

}  // namespace cloister::crypto
