#include "verify/aci/custody_keys.h"

#include <set>
#include <string>

#include "base/encoding.h"
#include "crypto/secp256k1.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

// Lower-case hex; a point of secp256k1 in its compressed form, however it was written.
std::string spelling_of(const std::string& hex) {
  const Result<Bytes> bytes = from_hex(hex);
  if (!bytes) return "not hex";
  if (const auto point = crypto::parse_secp256k1_public_key(*bytes)) return to_hex(crypto::compress_secp256k1(*point));
  return to_hex(*bytes);
}

}  // namespace

Check check_custody_keys(const evidence::BootEvidence& boot, const evidence::Keyset& keyset,
                         const BootPolicy& policy) {
  const std::string id = "keyset.custody";
  const bool required = !policy.kms_root_keys.empty();
  if (!boot.key_custody) {
    if (!required) return not_applicable(id, "no chain of key custody is served");
    return skipped(id, "no chain of key custody is served, and the policy names the roots it must lead to");
  }
  std::set<std::string> in_use, in_custody;
  for (const auto* role : {&keyset.receipt_signing_keys, &keyset.e2ee_public_keys}) {
    for (const evidence::KeysetKey& key : *role) in_use.insert(spelling_of(key.public_key));
  }
  for (const evidence::KeyCustody& key : *boot.key_custody) {
    const std::string spelling = spelling_of(key.public_key);
    if (!in_use.contains(spelling)) {
      return failed(id, "the key of the role " + key.role + " does not stand in the keyset", "one of the keyset",
                    spelling);
    }
    in_custody.insert(spelling);
  }
  for (const std::string& key : in_use) {
    if (required && !in_custody.contains(key)) return failed(id, "a key of the keyset has no chain", key, "none");
  }
  return passed(id, std::to_string(in_custody.size()) + " of " + std::to_string(in_use.size()) + " keys");
}

}  // namespace cloister::verify
