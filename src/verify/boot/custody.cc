#include "verify/boot/custody.h"

#include <map>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kEd25519KeySize = 32;

Error broken(const evidence::KeyCustody& key, const std::string& what) {
  return fail(ErrorCode::kBadSignature, "key of the role " + key.role.substr(0, 64) + ": " + what);
}

Result<ByteArray<64>> recover(const evidence::KeyCustody& key, std::size_t index, ByteView message) {
  const Result<Bytes> signature = from_hex(key.signature_chain.at(index));
  if (!signature) return broken(key, "signature_chain: " + signature.error().message);
  auto signer = crypto::recover_secp256k1(crypto::keccak256(message), *signature);
  if (!signer) return broken(key, "signature " + std::to_string(index + 1) + ": " + signer.error().message);
  return signer;
}

// What the application's key signed: the derived key as GetKey states it, compressed where it is on secp256k1.
Result<std::string> derived_key_hex(const evidence::KeyCustody& key) {
  const Result<Bytes> bytes = from_hex(key.kms_public_key);
  if (!bytes) return broken(key, "kms_public_key: " + bytes.error().message);
  if (bytes->size() == kEd25519KeySize) return to_hex(*bytes);
  const auto point = crypto::parse_secp256k1_public_key(*bytes);
  if (!point) return broken(key, "kms_public_key: " + point.error().message);
  return to_hex(crypto::compress_secp256k1(*point));
}

// Where both keys are of one kind they must be the same key. A key of another kind is made of the same secret, which
// only the measured code vouches for.
Result<void> check_own_key(const evidence::KeyCustody& key, const std::string& derived) {
  const Result<Bytes> own = from_hex(key.public_key);
  if (!own) return broken(key, "public_key: " + own.error().message);
  std::string comparable = to_hex(*own);
  if (key.algo.find("secp256k1") != std::string::npos) {
    const auto point = crypto::parse_secp256k1_public_key(*own);
    if (!point) return broken(key, "public_key: " + point.error().message);
    comparable = to_hex(crypto::compress_secp256k1(*point));
  } else if (derived.size() != 2 * kEd25519KeySize) {
    return {};
  }
  if (comparable == derived) return {};
  return broken(key, "the chain is about " + derived + ", not about " + comparable);
}

}  // namespace

Result<KmsChain> recover_kms_chain(const evidence::KeyCustody& key, ByteView app_id) {
  if (key.signature_chain.size() != 2) return broken(key, "expected 2 signatures");
  if (key.purpose.empty() || key.path.empty()) return broken(key, "path or purpose is empty");
  TRY(derived, derived_key_hex(key));
  TRY_VOID(check_own_key(key, derived));
  TRY(app_point, recover(key, 0, as_bytes(key.purpose + ":" + derived)));
  KmsChain chain;
  chain.app_key = crypto::compress_secp256k1(app_point);
  Bytes message = to_bytes(as_bytes("dstack-kms-issued:"));
  append(message, app_id);
  append(message, chain.app_key);
  TRY(root_point, recover(key, 1, message));
  chain.root_key = crypto::compress_secp256k1(root_point);
  return chain;
}

Result<KmsChain> check_key_custody(const std::vector<evidence::KeyCustody>& keys, ByteView app_id) {
  std::optional<KmsChain> first;
  std::set<std::string> roles, paths;
  for (const evidence::KeyCustody& key : keys) {
    if (!roles.insert(key.role).second) return broken(key, "listed twice");
    if (!paths.insert(key.path).second) {
      return broken(key, "shares its derivation path, and so its secret, with another role");
    }
    TRY(chain, recover_kms_chain(key, app_id));
    if (!first) first = chain;
    if (chain.app_key != first->app_key || chain.root_key != first->root_key) {
      return broken(key, "its chain leads to another application key or root than that of the role " +
                             keys.front().role.substr(0, 64));
    }
  }
  if (!first) return fail(ErrorCode::kBadSignature, "no key is listed");
  return *first;
}

}  // namespace cloister::verify
