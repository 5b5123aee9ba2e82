#include "verify/aci/keyset_checks.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "base/encoding.h"
#include "evidence/json_reader.h"
#include "verify/check.h"
#include "verify/report/tls_origin.h"

namespace cloister::verify {
namespace {

using evidence::Keyset;
using evidence::KeysetKey;
using evidence::TlsKey;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kNever = 100 * 366 * kDay;

// A key has one role: otherwise whoever can make the node decrypt could make it sign.
Check check_roles(const Keyset& keyset) {
  const std::string id = "keyset.roles";
  if (keyset.receipt_signing_keys.empty()) return failed(id, "no key for receipts", "at least one", "none");
  std::set<std::string> keys;
  for (const std::vector<KeysetKey>* role : {&keyset.receipt_signing_keys, &keyset.e2ee_public_keys}) {
    std::set<std::string> names;
    for (const KeysetKey& key : *role) {
      if (!names.insert(key.key_id).second) return failed(id, "two keys of one role have the id " + key.key_id);
      std::string bytes = key.public_key;
      for (char& c : bytes) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (!keys.insert(std::move(bytes)).second) return failed(id, "one key is listed twice, last as " + key.key_id);
    }
  }
  return passed(
      id, std::to_string(keys.size()) + " keys and " + std::to_string(keyset.tls_public_keys.size()) + " TLS keys");
}

// The end of the keyset's life is the only revocation that needs nobody's help, so it must not be too far away.
Check check_not_after(const Keyset& keyset, const Context& context) {
  const std::string id = "keyset.not_after";
  if (context.time >= keyset.not_after) {
    return failed(id, "the keyset has expired", "after " + to_rfc3339(context.time), to_rfc3339(keyset.not_after));
  }
  const std::int64_t latest = context.time + kDay * context.policy.service.max_keyset_days;
  if (keyset.not_after > latest) {
    const std::string most = "at most " + to_rfc3339(latest);
    if (keyset.not_after - context.time > kNever) {
      return failed(id, "the keyset never expires, for all practical purposes", most, std::to_string(keyset.not_after));
    }
    return failed(id,
                  "the keyset is valid for longer from now than the policy allows (service.max_keyset_days = " +
                      std::to_string(context.policy.service.max_keyset_days) + ")",
                  most, to_rfc3339(keyset.not_after));
  }
  return passed(id, to_rfc3339(keyset.not_after));
}

bool same_host(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// A key that is listed for one host says nothing about another.
bool is_for(const TlsKey& key, const Expected& expected) {
  return key.spki_sha256 == *expected.tls_spki_sha256 &&
         (!key.domain || !expected.tls_host || same_host(*key.domain, *expected.tls_host));
}

Check check_tls(const Keyset& keyset, bool bound, const Expected& expected, const Policy& policy) {
  const std::string id = "report_data.tls";
  if (!expected.tls_spki_sha256) {
    if (keyset.has_given_tls_key()) return unseen_tls_key(id, evidence::TlsKeyOrigin::kGiven, expected, policy);
    if (keyset.tls_public_keys.empty()) return not_applicable(id, "the keyset has no TLS key");
    return unseen_tls_key(id, evidence::TlsKeyOrigin::kBorn, expected, policy);
  }
  if (!bound) return skipped(id, "report data binds no keyset that is known here");
  const std::string actual = to_hex(*expected.tls_spki_sha256);
  const evidence::TlsKeyOrigin origin = keyset.tls_key_origin(*expected.tls_spki_sha256);
  const bool listed = std::any_of(keyset.tls_public_keys.begin(), keyset.tls_public_keys.end(),
                                  [&](const TlsKey& key) { return is_for(key, expected); });
  // A given key is listed under its mark alone: ACI forbids to list it among the TLS keys (section 3.3).
  if (listed || origin == evidence::TlsKeyOrigin::kGiven) return bound_tls_key(id, actual, origin, policy);
  return failed(id, "the TLS connection ends at a key that the keyset does not list for this host",
                "one of " + std::to_string(keyset.tls_public_keys.size()) + " keys", actual);
}

Check check_e2ee(const Keyset& keyset, bool bound, const Expected& expected) {
  const std::string id = "report_data.e2ee";
  if (!expected.e2ee_public_key) return not_applicable(id, "no encryption key is in use");
  if (!bound) return skipped(id, "report data binds no keyset that is known here");
  const auto wanted = from_hex(*expected.e2ee_public_key);
  for (const KeysetKey& key : keyset.e2ee_public_keys) {
    const auto listed = from_hex(key.public_key);
    if (key.is_tls_mark()) continue;
    if (wanted && listed && !wanted->empty() && *wanted == *listed) return passed(id, key.key_id);
  }
  return failed(id, "the key that is encrypted to does not stand in the keyset",
                "one of " + std::to_string(keyset.e2ee_public_keys.size()) + " keys", *expected.e2ee_public_key);
}

}  // namespace

void check_keyset(const Keyset& keyset, const ByteArray<32>& named, const Context& context, Verdict& verdict) {
  verdict.add(compared("keyset.digest", evidence::digest_text(named), evidence::digest_text(keyset.digest),
                       "the keyset is not the one that the report names"));
  verdict.add(check_roles(keyset));
  verdict.add(check_not_after(keyset, context));
  verdict.facts["keyset_digest"] = evidence::digest_text(keyset.digest);
  verdict.facts["keyset_not_after"] = keyset.not_after;
  if (keyset.subject) verdict.facts["keyset_subject"] = *keyset.subject;
}

void check_channel(const Keyset& keyset, bool bound, const Expected& expected, const Policy& policy, Verdict& verdict) {
  verdict.add(check_tls(keyset, bound, expected, policy));
  if (expected.tls_spki_sha256) {
    verdict.facts["tls_key_origin"] = evidence::to_text(keyset.tls_key_origin(*expected.tls_spki_sha256));
  }
  verdict.add(check_e2ee(keyset, bound, expected));
}

}  // namespace cloister::verify
