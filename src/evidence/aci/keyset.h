// The keyset: the public keys of one TEE, each for one role. The quote binds the keyset's digest, so whoever verified
// the quote knows whose receipts, channels and encryption keys to trust (ACI `aci/1`).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kReceiptAlgo = "ed25519";
// Algorithms of `e2ee_public_keys` (ACI's E2EE v2, section 4): the key is 32 bytes, and a point as 04 || x || y.
inline constexpr std::string_view kE2eeX25519Algo = "x25519-aes-256-gcm-hkdf-sha256";
inline constexpr std::string_view kE2eeSecp256k1Algo = "secp256k1-aes-256-gcm-hkdf-sha256";
// Cloister's own: keys of the legacy signatures. ACI clients ignore entries of an algorithm that they do not know.
inline constexpr std::string_view kLegacyEcdsaAlgo = "cloister.legacy.ecdsa";      // public_key: x || y, 128 hex
inline constexpr std::string_view kLegacyEd25519Algo = "cloister.legacy.ed25519";  // public_key: 64 hex
// Cloister's own, among `e2ee_public_keys`: where the private half of a TLS key was made. public_key: the SHA-256 of
// the key's SubjectPublicKeyInfo, 64 hex.
inline constexpr std::string_view kTlsBornAlgo = "cloister.tls.born";    // inside this TEE, and it has never left it
inline constexpr std::string_view kTlsGivenAlgo = "cloister.tls.given";  // outside: its maker may still have the key

enum class TlsKeyOrigin { kUnknown, kBorn, kGiven };
std::string_view to_text(TlsKeyOrigin origin);  // "unknown", "born", "given"

struct KeysetKey {
  std::string key_id;
  std::string algo;
  std::string public_key;  // hex as served and not yet checked: the algorithm decides its form

  // True for an entry that is no usable key, but says where a TLS key was made.
  bool is_tls_mark() const { return algo == kTlsBornAlgo || algo == kTlsGivenAlgo; }
};

struct TlsKey {
  ByteArray<32> spki_sha256{};        // SHA-256 of the DER SubjectPublicKeyInfo
  std::optional<std::string> domain;  // valid for this host only
};

struct Keyset {
  std::optional<std::string> subject;  // a name that the workload gives itself
  UnixSeconds not_after = 0;
  std::vector<KeysetKey> receipt_signing_keys;
  std::vector<KeysetKey> e2ee_public_keys;
  std::vector<TlsKey> tls_public_keys;
  ByteArray<32> digest{};  // SHA-256 of the document's canonical form (RFC 8785)

  // The signers of legacy texts: EIP-55 addresses and Ed25519 keys in hex, from the entries of Cloister's own
  // algorithms. Entries that are no keys are left out.
  std::vector<std::string> legacy_addresses() const;
  // What the marks say about the TLS key with this SHA-256 of its SubjectPublicKeyInfo. A key with both marks is a given one.
  TlsKeyOrigin tls_key_origin(const ByteArray<32>& spki_sha256) const;
  // True when it has an entry of an algorithm of Cloister's own, as the keyset of every Cloister node has.
  bool is_cloister() const;
  // True when the keyset says of some TLS key that it was given.
  bool has_given_tls_key() const;
};

// The shape is fixed: an additional member is an error (kBadReport), as is a list of more than 64 keys.
Result<Keyset> parse_keyset(const Json& object);

}  // namespace cloister::evidence
