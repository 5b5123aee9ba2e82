// Keyring: the node's signing identities. Made inside the TEE and derived from it, so that they survive a restart there;
// random when there is no TEE, or one that cannot derive keys. Private halves never leave this object. Safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/secp256k1.h"
#include "evidence/chat_signature.h"
#include "tee/tee.h"

namespace cloister::serve {

class Keyring {
 public:
  // `tee` may be null, or without keys of its own (a bare TDX or SEV-SNP guest): then the keys are random and end with
  // the process. What a report proves is the same; only the address changes with each start.
  static Result<Keyring> make(tee::Tee* tee);

  // ecdsa: EIP-55 address; ed25519: 64 hex digits.
  const std::string& signing_address(evidence::SigningAlgo algo) const;
  // ecdsa: x || y as 128 hex digits; ed25519: 64.
  std::string signing_public_key(evidence::SigningAlgo algo) const;
  // What report_data binds: the 20-byte address or the 32-byte key.
  Bytes identity(evidence::SigningAlgo algo) const;

  crypto::EthSignature sign_ecdsa(std::string_view text) const { return ecdsa_.sign_text(text); }
  ByteArray<64> sign_ed25519(std::string_view text) const { return ed25519_.sign(as_bytes(text)); }

  // Receipts have a key of their own (Ed25519): one key, one role.
  const ByteArray<32>& receipt_public_key() const { return receipt_.public_key(); }
  ByteArray<64> sign_receipt(std::string_view canonical) const { return receipt_.sign(as_bytes(canonical)); }

 private:
  Keyring(crypto::Secp256k1Key ecdsa, crypto::Ed25519Key ed25519, crypto::Ed25519Key receipt);
  crypto::Secp256k1Key ecdsa_;
  crypto::Ed25519Key ed25519_;
  crypto::Ed25519Key receipt_;
  std::string ecdsa_address_;
  std::string ed25519_address_;
};

}  // namespace cloister::serve
