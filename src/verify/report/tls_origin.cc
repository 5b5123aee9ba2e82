#include "verify/report/tls_origin.h"

#include <utility>

#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "verify/check.h"
#include "verify/report/node_policy.h"

namespace cloister::verify {
namespace {

using evidence::TlsKeyOrigin;

// The policy that was measured last into the register is the one in the report.
bool is_measured(const ServedReport& report, const Verdict& verdict) {
  if (!report.tls_policy.is_object()) return false;
  const auto logged = logged_digest(report.boot, evidence::kPolicyEvent, verdict);
  const auto digest = evidence::document_digest(report.tls_policy);
  return logged && digest && *logged == *digest;
}

TlsKeyOrigin origin_in(const Json& policy) {
  const auto listen = policy.find("listen");
  if (listen == policy.end() || !listen->is_object()) return TlsKeyOrigin::kUnknown;
  const auto tls = listen->find("tls");
  if (tls == listen->end() || !tls->is_string()) return TlsKeyOrigin::kUnknown;
  const auto& mode = tls->get_ref<const std::string&>();
  if (mode == "self-signed" || mode == "tee-key") return TlsKeyOrigin::kBorn;
  return mode == "certificate" ? TlsKeyOrigin::kGiven : TlsKeyOrigin::kUnknown;
}

}  // namespace

Check bound_tls_key(std::string id, const std::string& key_hex, TlsKeyOrigin origin, const Policy& policy) {
  if (origin == TlsKeyOrigin::kBorn) return passed(std::move(id), key_hex, "made inside this TEE");
  const bool given = origin == TlsKeyOrigin::kGiven;
  if (policy.service.accept_unproven_tls_keys) {
    return passed(std::move(id), key_hex,
                  given ? "a key from outside of the TEE, which the policy accepts"
                        : "a key of unknown origin, which the policy accepts");
  }
  Check check =
      skipped(std::move(id), given ? "the TLS key was given to the TEE from outside: its maker can end this "
                                     "connection in front of the TEE and read everything"
                                   : "the evidence binds the TLS key and does not say that the key was made inside "
                                     "the TEE: somebody outside may have it");
  check.actual = key_hex;
  return check;
}

Check unseen_tls_key(std::string id, TlsKeyOrigin origin, const Expected& expected, const Policy& policy) {
  const bool required = !expected.no_connection;
  const bool proven = origin == TlsKeyOrigin::kBorn || policy.service.accept_unproven_tls_keys;
  if (origin == TlsKeyOrigin::kGiven) {
    return skipped(std::move(id),
                   "the service has a TLS key that was given to it from outside, and which key the connection "
                   "really used is not known here",
                   required || !proven);
  }
  if (origin == TlsKeyOrigin::kUnknown) {
    return skipped(
        std::move(id),
        "the evidence binds a TLS key and does not say that the key was made inside the TEE, and which key the connection "
        "really used is not known here",
        required || !proven);
  }
  return skipped(
      std::move(id),
      required ? "the service has a TLS key of its own, and which key the connection really used is not known here: "
                 "whoever sits in front of the TEE can pass its report on"
               : "verified as a document: no connection is compared with the TLS key",
      required);
}

TlsKeyOrigin legacy_tls_key_origin(const ServedReport& report, const Verdict& verdict) {
  if (report.tls_key_given) return TlsKeyOrigin::kGiven;
  return is_measured(report, verdict) ? origin_in(report.tls_policy) : TlsKeyOrigin::kUnknown;
}

}  // namespace cloister::verify
