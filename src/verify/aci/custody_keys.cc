#include "verify/aci/custody_keys.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/secp256k1.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

// Lower-case hex; a secp256k1 point in its compressed form, in whatever form it was written.
std::string spelling_of(const std::string& hex) {
  const Result<Bytes> bytes = from_hex(hex);
  if (!bytes) return "not hex";
  if (const auto point = crypto::parse_secp256k1_public_key(*bytes)) return to_hex(crypto::compress_secp256k1(*point));
  return to_hex(*bytes);
}

// The roles of GetKey that a key of the keyset may have been made for: the first word of the custody's role.
enum class Role { kReceipt, kE2ee };

bool fits(std::string_view custody_role, Role role) {
  if (role == Role::kE2ee) return custody_role.starts_with("e2ee");
  return custody_role.starts_with("receipt") || custody_role.starts_with("legacy");
}

std::map<std::string, Role> keys_in_use(const evidence::Keyset& keyset) {
  std::map<std::string, Role> out;
  for (const evidence::KeysetKey& key : keyset.receipt_signing_keys) out[spelling_of(key.public_key)] = Role::kReceipt;
  for (const evidence::KeysetKey& key : keyset.e2ee_public_keys) {
    // A mark itself says where its key was made; no KMS derives a TLS key.
    if (!key.is_tls_mark()) out[spelling_of(key.public_key)] = Role::kE2ee;
  }
  return out;
}

}  // namespace

Check check_custody_keys(const evidence::BootEvidence& boot, const evidence::Keyset& keyset, RootKind cpu_root,
                         const Check* chains, const Policy& policy) {
  const std::string id = "keyset.custody";
  const bool required = !policy.boot.kms_root_keys.empty() || !policy.service.accept_unproven_custody;
  if (!boot.key_custody) {
    if (cpu_root == RootKind::kInsecureSimulator) {
      return not_applicable(id, "the TEE is simulated: no key provider keeps its keys");
    }
    return skipped(id, "no chain of key custody is served: the measured code alone vouches for the keys", required);
  }
  const std::map<std::string, Role> in_use = keys_in_use(keyset);
  std::set<std::string> in_custody;
  for (const evidence::KeyCustody& key : *boot.key_custody) {
    const std::string spelling = spelling_of(key.public_key);
    const auto used = in_use.find(spelling);
    if (used == in_use.end()) {
      return failed(id, "the key of the role " + key.role + " does not stand in the keyset", "one of the keyset",
                    spelling);
    }
    if (!fits(key.role, used->second)) {
      return failed(id, "the key " + spelling + " is used in another role than it was made for",
                    used->second == Role::kE2ee ? "e2ee" : "receipt", key.role);
    }
    in_custody.insert(spelling);
  }
  for (const auto& [key, role] : in_use) {
    if (required && !in_custody.contains(key)) return failed(id, "a key of the keyset has no chain", key, "none");
  }
  // Any pair of signatures recovers to some root: chains prove custody only under a root that the policy names.
  const bool any_root = policy.boot.kms_root_keys.empty() && !policy.service.accept_unproven_custody;
  if (any_root && cpu_root != RootKind::kInsecureSimulator) {
    return skipped(id, "the policy names no root of key management (boot.kms_root_keys): anybody can make such chains");
  }
  // A simulated machine measures the root of its own.
  if (any_root && (chains == nullptr || chains->state != State::kPass)) {
    return skipped(id,
                   "the chains do not lead to the key provider that the simulated machine measured: boot.kms_custody");
  }
  return passed(id, std::to_string(in_custody.size()) + " of " + std::to_string(in_use.size()) + " keys");
}

}  // namespace cloister::verify
