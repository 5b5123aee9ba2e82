#include "evidence/aci/keyset.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostKeys = 64;
constexpr ErrorCode kCode = ErrorCode::kBadReport;

Result<KeysetKey> read_key(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.only({"key_id", "algo", "public_key"}));
  TRY(key_id, reader.text("key_id"));
  TRY(algo, reader.text("algo"));
  TRY(public_key, reader.text("public_key"));
  return KeysetKey{std::move(key_id), std::move(algo), std::move(public_key)};
}

Result<TlsKey> read_tls_key(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.only({"spki_sha256", "domain"}));
  TRY(spki_sha256, reader.hash("spki_sha256"));
  TRY(domain, reader.optional_text("domain"));
  return TlsKey{spki_sha256, std::move(domain)};
}

template <typename Key>
Result<std::vector<Key>> read_list(const JsonReader& keyset, const std::string& name,
                                   Result<Key> (*read)(const Json&, const std::string&)) {
  TRY(array, keyset.array(name, kMostKeys));
  std::vector<Key> out;
  for (const Json& element : *array) {
    TRY(key, read(element, "keyset." + name + "[" + std::to_string(out.size()) + "]."));
    out.push_back(std::move(key));
  }
  return out;
}

}  // namespace

std::vector<std::string> Keyset::legacy_addresses() const {
  std::vector<std::string> out;
  for (const KeysetKey& key : receipt_signing_keys) {
    if (key.algo == kLegacyEcdsaAlgo) {
      const auto point = from_hex_exactly<64>(key.public_key);
      if (point) out.push_back(crypto::eth_address_text(crypto::eth_address(*point)));
    } else if (key.algo == kLegacyEd25519Algo) {
      const auto bytes = from_hex_exactly<32>(key.public_key);
      if (bytes) out.push_back(to_hex(*bytes));
    }
  }
  return out;
}

std::string_view to_text(TlsKeyOrigin origin) {
  switch (origin) {
    case TlsKeyOrigin::kBorn: return "born";
    case TlsKeyOrigin::kGiven: return "given";
    case TlsKeyOrigin::kUnknown: break;
  }
  return "unknown";
}

TlsKeyOrigin Keyset::tls_key_origin(const ByteArray<32>& spki_sha256) const {
  TlsKeyOrigin found = TlsKeyOrigin::kUnknown;
  for (const KeysetKey& key : e2ee_public_keys) {
    if (!key.is_tls_mark()) continue;
    const auto marked = from_hex_exactly<32>(key.public_key);
    if (!marked || *marked != spki_sha256) continue;
    if (key.algo == kTlsGivenAlgo) return TlsKeyOrigin::kGiven;
    found = TlsKeyOrigin::kBorn;
  }
  return found;
}

bool Keyset::is_cloister() const {
  const auto own = [](const KeysetKey& key) { return key.algo.starts_with("cloister."); };
  return std::any_of(receipt_signing_keys.begin(), receipt_signing_keys.end(), own) ||
         std::any_of(e2ee_public_keys.begin(), e2ee_public_keys.end(), own);
}

bool Keyset::has_given_tls_key() const {
  return std::any_of(e2ee_public_keys.begin(), e2ee_public_keys.end(),
                     [](const KeysetKey& key) { return key.algo == kTlsGivenAlgo; });
}

Result<Keyset> parse_keyset(const Json& object) {
  const JsonReader reader(object, kCode, "keyset.");
  TRY_VOID(reader.only({"subject", "not_after", "receipt_signing_keys", "e2ee_public_keys", "tls_public_keys"}));
  Keyset keyset;
  TRY(subject, reader.optional_text("subject"));
  keyset.subject = std::move(subject);
  TRY(not_after, reader.whole_number("not_after"));
  keyset.not_after = not_after;
  TRY(receipt_keys, read_list(reader, "receipt_signing_keys", read_key));
  keyset.receipt_signing_keys = std::move(receipt_keys);
  TRY(e2ee_keys, read_list(reader, "e2ee_public_keys", read_key));
  keyset.e2ee_public_keys = std::move(e2ee_keys);
  TRY(tls_keys, read_list(reader, "tls_public_keys", read_tls_key));
  keyset.tls_public_keys = std::move(tls_keys);
  Result<std::string> canonical = codec::write_jcs(object);
  if (!canonical) return fail(kCode, "keyset: " + canonical.error().message, "keyset");
  keyset.digest = crypto::sha256(as_bytes(*canonical));
  return keyset;
}

}  // namespace cloister::evidence
