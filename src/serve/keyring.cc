#include "serve/keyring.h"

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"

namespace cloister::serve {
namespace {

// One label a role: the same path for two algorithms would give the same secret (attestation.md pitfall 41).
constexpr std::string_view kEcdsaLabel = "cloister/v1/signing-key/ecdsa";
constexpr std::string_view kEd25519Label = "cloister/v1/signing-key/ed25519";
constexpr std::string_view kReceiptLabel = "cloister/v1/receipt-key/ed25519";

Result<SecretBytes> key_material(tee::Tee* tee, std::string_view label) {
  if (tee != nullptr) {
    Result<SecretBytes> derived = tee->derive_key(label);
    if (derived || derived.error().code != ErrorCode::kUnsupported) return derived;
    log::warn("signing key is random and ends with this process, so a restart gives a new address: " +
              derived.error().message);
  }
  Bytes random = crypto::random_bytes(32);
  SecretBytes secret{ByteView(random)};
  explicit_bzero(random.data(), random.size());
  return secret;
}

}  // namespace

Keyring::Keyring(crypto::Secp256k1Key ecdsa, crypto::Ed25519Key ed25519, crypto::Ed25519Key receipt)
    : ecdsa_(std::move(ecdsa)),
      ed25519_(std::move(ed25519)),
      receipt_(std::move(receipt)),
      ecdsa_address_(crypto::eth_address_text(ecdsa_.address())),
      ed25519_address_(to_hex(ed25519_.public_key())) {}

Result<Keyring> Keyring::make(tee::Tee* tee) {
  TRY(ecdsa_secret, key_material(tee, kEcdsaLabel));
  TRY(ed25519_seed, key_material(tee, kEd25519Label));
  TRY(ecdsa, crypto::Secp256k1Key::from_secret(ecdsa_secret.expose()));
  TRY(ed25519, crypto::Ed25519Key::from_seed(ed25519_seed.expose()));
  TRY(receipt_seed, key_material(tee, kReceiptLabel));
  TRY(receipt, crypto::Ed25519Key::from_seed(receipt_seed.expose()));
  return Keyring(std::move(ecdsa), std::move(ed25519), std::move(receipt));
}

const std::string& Keyring::signing_address(evidence::SigningAlgo algo) const {
  return algo == evidence::SigningAlgo::kEcdsa ? ecdsa_address_ : ed25519_address_;
}

std::string Keyring::signing_public_key(evidence::SigningAlgo algo) const {
  return algo == evidence::SigningAlgo::kEcdsa ? to_hex(ecdsa_.public_key()) : ed25519_address_;
}

Bytes Keyring::identity(evidence::SigningAlgo algo) const {
  if (algo == evidence::SigningAlgo::kEcdsa) return to_bytes(ecdsa_.address());
  return to_bytes(ed25519_.public_key());
}

}  // namespace cloister::serve
