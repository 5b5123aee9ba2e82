#include "identity/keyset_document.h"

#include "base/encoding.h"
#include "codec/jcs.h"
#include "evidence/aci/keyset.h"

namespace cloister::identity {
namespace {

Json key_entry(std::string_view id, std::string_view algo, const std::string& public_key) {
  return {{"key_id", id}, {"algo", algo}, {"public_key", public_key}};
}

}  // namespace

std::string keyset_document(const Keyring& keyring, const std::optional<ByteArray<32>>& tls_spki_sha256,
                            evidence::TlsKeyOrigin tls_key_origin, UnixSeconds not_after) {
  using evidence::SigningAlgo;
  Json document = {
      {"subject", nullptr},
      {"not_after", not_after},
      {"receipt_signing_keys",
       Json::array(
           {key_entry(kReceiptKeyId, evidence::kReceiptAlgo, to_hex(keyring.receipt_public_key())),
            key_entry("legacy-ecdsa-1", evidence::kLegacyEcdsaAlgo, keyring.signing_public_key(SigningAlgo::kEcdsa)),
            key_entry("legacy-ed25519-1", evidence::kLegacyEd25519Algo,
                      keyring.signing_public_key(SigningAlgo::kEd25519))})},
      {"e2ee_public_keys",
       Json::array({key_entry("e2ee-x25519-1", evidence::kE2eeX25519Algo, to_hex(keyring.e2ee_x25519_public_key())),
                    key_entry("e2ee-secp256k1-1", evidence::kE2eeSecp256k1Algo,
                              "04" + to_hex(keyring.e2ee_secp256k1_public_key()))})},
      {"tls_public_keys", Json::array()}};
  if (tls_spki_sha256) {
    const std::string spki = to_hex(*tls_spki_sha256);
    const bool born = tls_key_origin == evidence::TlsKeyOrigin::kBorn;
    document["e2ee_public_keys"].push_back(
        key_entry(kTlsKeyId, born ? evidence::kTlsBornAlgo : evidence::kTlsGivenAlgo, spki));
    if (born) document["tls_public_keys"].push_back({{"spki_sha256", spki}});
  }
  // ASCII and whole numbers: the scheme can express all of it.
  return codec::write_jcs(document).value();
}

}  // namespace cloister::identity
