#include "tee/simulator/agent_keys.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "evidence/simulator_roots.h"
#include "tee/simulator/guest.h"
#include "tee/simulator/platform.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostSubject = 32;  // including the prefix, as much as a common name holds
constexpr std::int64_t kTlsDays = 365;

Error bad(const std::string& what) { return fail(ErrorCode::kInvalidRequest, what); }

std::string_view plain_algorithm(std::string_view algorithm) {
  return algorithm.empty() || algorithm == "k256" ? "secp256k1" : algorithm;
}

// Agents write the recovery id as 0 or 1.
std::string signature_hex(crypto::EthSignature signature) {
  signature[64] = static_cast<std::uint8_t>(signature[64] - 27);
  return to_hex(signature);
}

struct DerivedKey {
  SecretBytes secret;
  Bytes public_key;  // 32 bytes, or 33 on secp256k1
};

Result<DerivedKey> derive(Tee& tee, std::string_view path, std::string_view algorithm) {
  TRY(secret, tee.derive_key(path));
  DerivedKey out;
  if (algorithm == "ed25519") {
    TRY(key, crypto::Ed25519Key::from_seed(secret.expose()));
    out.public_key = to_bytes(key.public_key());
  } else if (algorithm == "secp256k1") {
    TRY(key, crypto::Secp256k1Key::from_secret(secret.expose()));
    out.public_key = to_bytes(crypto::compress_secp256k1(key.public_key()));
  } else {
    return bad("Unsupported algorithm");
  }
  out.secret = std::move(secret);
  return out;
}

// r || s without the recovery id: valid when either id leads to the key.
bool verify_secp256k1(const ByteArray<32>& digest, ByteView signature, const ByteArray<64>& public_key) {
  for (const std::uint8_t id : {std::uint8_t{0}, std::uint8_t{1}}) {
    Bytes recoverable = to_bytes(signature);
    recoverable.push_back(id);
    const auto signer = crypto::recover_secp256k1(digest, recoverable);
    if (signer && *signer == public_key) return true;
  }
  return false;
}

Result<ByteArray<32>> digest_to_sign(std::string_view algorithm, ByteView data) {
  if (algorithm != "secp256k1_prehashed") return crypto::sha256(data);
  if (data.size() != 32) return bad("a prehashed digest has 32 bytes");
  ByteArray<32> digest;
  std::copy(data.begin(), data.end(), digest.begin());
  return digest;
}

}  // namespace

AgentKeys::AgentKeys(SecretBytes seed, Tee& tee, crypto::Secp256k1Key app_key, std::string root_signature)
    : seed_(std::move(seed)), tee_(tee), app_key_(std::move(app_key)), root_signature_(std::move(root_signature)) {}

Result<AgentKeys> AgentKeys::make(ByteView seed, Tee& tee) {
  TRY(app_key, crypto::Secp256k1Key::from_secret(simulated_bytes(seed, "kms application key", 32)));
  TRY(root_key, crypto::Secp256k1Key::from_secret(simulated_bytes(seed, kKmsRootLabel, 32)));
  TRY(info, tee.info());
  TRY(app_id, from_hex(info.info.at("app_id").get<std::string>()));
  Bytes message = to_bytes(as_bytes("dstack-kms-issued:"));
  append(message, app_id);
  append(message, crypto::compress_secp256k1(app_key.public_key()));
  std::string root_signature = signature_hex(root_key.sign_digest(crypto::keccak256(message)));
  return AgentKeys(SecretBytes(seed), tee, std::move(app_key), std::move(root_signature));
}

Result<Json> AgentKeys::get_key(std::string_view path, std::string_view purpose, std::string_view algorithm) const {
  TRY(derived, derive(tee_, path, plain_algorithm(algorithm)));
  const std::string message = std::string(purpose) + ":" + to_hex(derived.public_key);
  const auto signature = app_key_.sign_digest(crypto::keccak256(as_bytes(message)));
  return Json{{"key", to_hex(derived.secret.expose())},
              {"signature_chain", Json::array({signature_hex(signature), root_signature_})}};
}

Result<Json> AgentKeys::tls_key(const std::optional<std::string>& path, const std::string& subject,
                                const std::vector<std::string>& names) const {
  if (subject.size() > kMostSubject) return bad("subject: expected at most 32 characters");
  TRY(ca_key, crypto::EcKey::derive(crypto::Curve::kP256, seed_.expose(), kAppCaKeyLabel));
  auto key = path ? crypto::EcKey::derive(crypto::Curve::kP256, seed_.expose(), "agent tls key " + *path)
                  : crypto::EcKey::generate(crypto::Curve::kP256);
  if (!key) return std::move(key).error();
  crypto::CertificateSpec spec;
  spec.subject_common_name = std::string(evidence::kSimulatorCommonNamePrefix) + subject;
  spec.issuer_common_name = kAppCaName;
  spec.not_before = system_clock().now() - 3600;
  spec.not_after = system_clock().now() + kTlsDays * 86400;
  spec.serial = crypto::random_bytes(16);
  spec.dns_names = names;
  TRY(certificate, crypto::issue_certificate(spec, *key, ca_key));
  TRY(info, tee_.info());
  return Json{{"key", key->to_pem()},
              {"certificate_chain", Json::array({certificate.to_pem(), info.info.at("app_cert")})}};
}

Result<Json> AgentKeys::sign(std::string_view algorithm, ByteView data) const {
  const std::string_view kind = plain_algorithm(algorithm);
  const std::string_view key_kind = kind == "secp256k1_prehashed" ? "secp256k1" : kind;
  TRY(key, get_key("vms", "signing", key_kind));
  TRY(derived, derive(tee_, "vms", key_kind));
  std::string signature;
  if (key_kind == "ed25519") {
    TRY(signer, crypto::Ed25519Key::from_seed(derived.secret.expose()));
    signature = to_hex(signer.sign(data));
  } else {
    TRY(signer, crypto::Secp256k1Key::from_secret(derived.secret.expose()));
    TRY(digest, digest_to_sign(kind, data));
    signature = to_hex(ByteView(signer.sign_digest(digest)).first(64));
  }
  const Json& chain = key["signature_chain"];
  return Json{{"signature", signature},
              {"signature_chain", Json::array({signature, chain[0], chain[1]})},
              {"public_key", to_hex(derived.public_key)}};
}

Result<Json> AgentKeys::verify(std::string_view algorithm, ByteView data, ByteView signature, ByteView public_key) {
  const std::string_view kind = plain_algorithm(algorithm);
  if (signature.size() != 64) return bad("invalid signature");
  if (kind == "ed25519") {
    if (public_key.size() != 32) return bad("invalid public key");
    return Json{{"valid", crypto::verify_ed25519(public_key, data, signature).has_value()}};
  }
  if (kind != "secp256k1" && kind != "secp256k1_prehashed") return bad("Unsupported algorithm");
  TRY(point, crypto::parse_secp256k1_public_key(public_key));
  TRY(digest, digest_to_sign(kind, data));
  return Json{{"valid", verify_secp256k1(digest, signature, point)}};
}

}  // namespace cloister::tee
