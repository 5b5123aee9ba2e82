// Keyring: the node's private keys, one key for each role. They are made inside the TEE and derived from it and from
// the configuration that decides who can read prompts: the keys survive a restart with the same configuration in the
// same TEE, and a node with another one cannot have them. They are random when there is no TEE, or one that cannot
// derive keys. Private halves never leave this object, except the TLS key, which the TLS library holds. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/secp256k1.h"
#include "crypto/x25519.h"
#include "evidence/boot_evidence.h"
#include "evidence/chat_signature.h"
#include "store/store_keys.h"
#include "tee/tee.h"

namespace cloister::identity {

class Keyring {
 public:
  // `tee` may be null, or without keys of its own (a bare TDX or SEV-SNP guest): the keys are then random and end
  // with the process. A report then proves the same; only keyset and addresses change with each start, and older
  // receipts can no longer be read. `configuration`: evidence::key_configuration_digest() of the policy document. The
  // keys that encrypt stored receipts belong to no configuration, since a change of configuration would lose the
  // receipts.
  static Result<Keyring> make(tee::Tee* tee, const ByteArray<32>& configuration, int receipt_key_epoch = 1);

  const ByteArray<32>& configuration() const { return configuration_; }

  // The address of the legacy signatures. ecdsa: EIP-55 address; ed25519: 64 hex digits.
  const std::string& signing_address(evidence::SigningAlgo algo) const;
  // ecdsa: x || y as 128 hex digits; ed25519: 64 hex digits.
  std::string signing_public_key(evidence::SigningAlgo algo) const;
  // What report_data binds: the 20-byte address or the 32-byte key.
  Bytes identity(evidence::SigningAlgo algo) const;

  crypto::EthSignature sign_ecdsa(std::string_view text) const { return ecdsa_.sign_text(text); }
  ByteArray<64> sign_ed25519(std::string_view text) const { return ed25519_.sign(as_bytes(text)); }

  // The key that signs receipts (Ed25519).
  const ByteArray<32>& receipt_public_key() const { return receipt_.public_key(); }
  ByteArray<64> sign_receipt(std::string_view canonical) const { return receipt_.sign(as_bytes(canonical)); }

  // The keys that encrypt stored receipts.
  const std::shared_ptr<const store::StoreKeys>& store_keys() const { return store_keys_; }

  // The key that clients encrypt to.
  const ByteArray<32>& e2ee_x25519_public_key() const { return e2ee_x25519_.public_key(); }
  // The same for secp256k1: x || y.
  const ByteArray<64>& e2ee_secp256k1_public_key() const { return e2ee_secp256k1_.public_key(); }

  // The key of a certificate that the node itself signs: it is the same as long as the other keys are the same.
  Result<crypto::EcKey> tls_key() const;

  // The chain of custody of the keyset's keys, up to a KMS; empty where no KMS derived them. The TLS key is not among them.
  const std::vector<evidence::KeyCustody>& custody() const { return custody_; }

 private:
  Keyring(crypto::Secp256k1Key ecdsa, crypto::Ed25519Key ed25519, crypto::Ed25519Key receipt,
          crypto::X25519Key e2ee_x25519, crypto::Secp256k1Key e2ee_secp256k1, SecretBytes tls_secret,
          std::shared_ptr<const store::StoreKeys> store_keys, const ByteArray<32>& configuration);
  Result<void> add_custody(tee::Tee& tee);

  crypto::Secp256k1Key ecdsa_;
  crypto::Ed25519Key ed25519_;
  crypto::Ed25519Key receipt_;
  crypto::X25519Key e2ee_x25519_;
  crypto::Secp256k1Key e2ee_secp256k1_;
  SecretBytes tls_secret_;
  std::shared_ptr<const store::StoreKeys> store_keys_;
  ByteArray<32> configuration_;
  std::vector<evidence::KeyCustody> custody_;
  std::string ecdsa_address_;
  std::string ed25519_address_;
};

}  // namespace cloister::identity
