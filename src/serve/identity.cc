#include "serve/identity.h"

#include "base/encoding.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/json_reader.h"

namespace cloister::serve {
namespace {

constexpr std::int64_t kLifetimeSeconds = 30 * 86400;
constexpr std::string_view kReceiptKeyId = "receipt-1";

Json key_entry(std::string_view id, std::string_view algo, const std::string& public_key) {
  return {{"key_id", id}, {"algo", algo}, {"public_key", public_key}};
}

}  // namespace

Identity::Identity(const Keyring& keyring, const Clock& clock) : keyring_(keyring), clock_(clock), current_(make()) {}

std::shared_ptr<const Epoch> Identity::now() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::shared_ptr<const Epoch> Identity::make() const {
  auto epoch = std::make_shared<Epoch>();
  epoch->not_after = clock_.now() + kLifetimeSeconds;
  epoch->receipt_key_id = kReceiptKeyId;
  const Json document = {
      {"subject", nullptr},
      {"not_after", epoch->not_after},
      {"receipt_signing_keys",
       Json::array({key_entry(kReceiptKeyId, evidence::kReceiptAlgo, to_hex(keyring_.receipt_public_key())),
                    key_entry("legacy-ecdsa-1", evidence::kLegacyEcdsaAlgo,
                              keyring_.signing_public_key(evidence::SigningAlgo::kEcdsa)),
                    key_entry("legacy-ed25519-1", evidence::kLegacyEd25519Algo,
                              keyring_.signing_public_key(evidence::SigningAlgo::kEd25519))})},
      {"e2ee_public_keys", Json::array()},
      {"tls_public_keys", Json::array()}};
  epoch->keyset = codec::write_jcs(document).value();
  epoch->keyset_digest = crypto::sha256(as_bytes(epoch->keyset));
  epoch->keyset_digest_text = evidence::digest_text(epoch->keyset_digest);
  return epoch;
}

}  // namespace cloister::serve
