#include "identity/keyring.h"

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"

namespace cloister::identity {
namespace {

// One label for each role: the same path for two algorithms would give the same secret. Labels never change, since
// addresses and keysets depend on them. The digest of the configuration follows the label.
constexpr std::string_view kEcdsaLabel = "cloister/v2/signing-key/ecdsa/";
constexpr std::string_view kEd25519Label = "cloister/v2/signing-key/ed25519/";
constexpr std::string_view kReceiptLabel = "cloister/v2/receipt-key/ed25519/";
constexpr std::string_view kX25519Label = "cloister/v2/e2ee-key/x25519/";
constexpr std::string_view kSecp256k1Label = "cloister/v2/e2ee-key/secp256k1/";
constexpr std::string_view kTlsLabel = "cloister/v2/tls-key/p256/";

std::string label_of(std::string_view role, const ByteArray<32>& configuration) {
  return std::string(role) + to_hex(configuration);
}

// Gives the secrets of all roles, either all from the TEE or all random.
class SecretSource {
 public:
  explicit SecretSource(tee::Tee* tee) : tee_(tee) {}

  Result<SecretBytes> get(std::string_view label) {
    if (tee_ != nullptr) {
      Result<SecretBytes> derived = tee_->derive_key(label);
      if (derived || derived.error().code != ErrorCode::kUnsupported) return derived;
      log::warn(
          "every signing key is random and ends with this process, so a restart gives new addresses and another keyset: " +
          derived.error().message);
      tee_ = nullptr;
    }
    Bytes random = crypto::random_bytes(32);
    SecretBytes secret{ByteView(random)};
    explicit_bzero(random.data(), random.size());
    if (!secret.locked()) log::debug("memory for secrets cannot be locked: the limit RLIMIT_MEMLOCK is reached");
    return secret;
  }
  // True when the secrets that it gave so far are the same after a restart.
  bool lasts() const { return tee_ != nullptr; }

 private:
  tee::Tee* tee_;
};

}  // namespace

Keyring::Keyring(crypto::Secp256k1Key ecdsa, crypto::Ed25519Key ed25519, crypto::Ed25519Key receipt,
                 crypto::X25519Key e2ee_x25519, crypto::Secp256k1Key e2ee_secp256k1, SecretBytes tls_secret,
                 std::shared_ptr<const store::StoreKeys> store_keys, const ByteArray<32>& configuration)
    : ecdsa_(std::move(ecdsa)),
      ed25519_(std::move(ed25519)),
      receipt_(std::move(receipt)),
      e2ee_x25519_(std::move(e2ee_x25519)),
      e2ee_secp256k1_(std::move(e2ee_secp256k1)),
      tls_secret_(std::move(tls_secret)),
      store_keys_(std::move(store_keys)),
      configuration_(configuration),
      ecdsa_address_(crypto::eth_address_text(ecdsa_.address())),
      ed25519_address_(to_hex(ed25519_.public_key())) {}

Result<Keyring> Keyring::make(tee::Tee* tee, const ByteArray<32>& configuration, int receipt_key_epoch) {
  SecretSource source(tee);
  const auto get = [&](std::string_view role) { return source.get(label_of(role, configuration)); };
  TRY(ecdsa_secret, get(kEcdsaLabel));
  TRY(ecdsa, crypto::Secp256k1Key::from_secret(ecdsa_secret.expose()));
  TRY(ed25519_seed, get(kEd25519Label));
  TRY(ed25519, crypto::Ed25519Key::from_seed(ed25519_seed.expose()));
  TRY(receipt_seed, get(kReceiptLabel));
  TRY(receipt, crypto::Ed25519Key::from_seed(receipt_seed.expose()));
  TRY(x25519_secret, get(kX25519Label));
  TRY(x25519, crypto::X25519Key::from_secret(x25519_secret.expose()));
  TRY(secp256k1_secret, get(kSecp256k1Label));
  TRY(secp256k1, crypto::Secp256k1Key::from_secret(secp256k1_secret.expose()));
  TRY(tls_secret, get(kTlsLabel));
  TRY(store_keys, store::StoreKeys::make([&](std::string_view label) { return source.get(label); }, receipt_key_epoch,
                                         source.lasts()));
  Keyring keyring(std::move(ecdsa), std::move(ed25519), std::move(receipt), std::move(x25519), std::move(secp256k1),
                  std::move(tls_secret), std::move(store_keys), configuration);
  if (tee != nullptr) TRY_VOID(keyring.add_custody(*tee));
  return keyring;
}

// Where ACI's reference gateways ask for purposes by name, these names are used.
Result<void> Keyring::add_custody(tee::Tee& tee) {
  const struct {
    std::string_view label, purpose, role, algo;
    std::string public_key;
  } roles[] = {
      {kReceiptLabel, "aci.receipt.ed25519.v1", "receipt", evidence::kReceiptAlgo, to_hex(receipt_.public_key())},
      {kX25519Label, "aci.e2ee.x25519.v1", "e2ee-x25519", evidence::kE2eeX25519Algo, to_hex(e2ee_x25519_.public_key())},
      {kSecp256k1Label, "aci.e2ee.v1", "e2ee-secp256k1", evidence::kE2eeSecp256k1Algo,
       "04" + to_hex(e2ee_secp256k1_.public_key())},
      {kEcdsaLabel, "cloister.legacy.ecdsa.v1", "legacy-ecdsa", "secp256k1", to_hex(ecdsa_.public_key())},
      {kEd25519Label, "cloister.legacy.ed25519.v1", "legacy-ed25519", "ed25519", ed25519_address_},
  };
  for (const auto& role : roles) {
    Result<evidence::KeyCustody> custody = tee.key_custody(label_of(role.label, configuration_), role.purpose);
    if (!custody && custody.error().code == ErrorCode::kUnsupported) return {};
    if (!custody) return custody.error();
    custody->role = role.role;
    custody->algo = role.algo;
    custody->public_key = role.public_key;
    custody_.push_back(std::move(*custody));
  }
  return {};
}

Result<crypto::EcKey> Keyring::tls_key() const {
  return crypto::EcKey::derive(crypto::Curve::kP256, tls_secret_.expose(), "cloister tls key v1");
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

}  // namespace cloister::identity
