// Revocation lists. Every accessor is safe on whatever parses, and a listed certificate is found again in any of its
// forms.
#include "crypto/crl.h"

#include "base/encoding.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto der = crypto::decode_crl(input);
  if (!der) {
    FUZZ_CHECK(!der.error().message.empty());
    return;
  }
  const auto crl = crypto::Crl::from_der(*der);
  if (!crl) return;
  FUZZ_CHECK(crl->size() <= der->size());
  (void)crl->issuer_common_name();
  FUZZ_CHECK(!to_rfc3339(crl->this_update()).empty() && !to_rfc3339(crl->next_update()).empty());
  const auto again = crypto::decode_crl(as_bytes(to_hex(*der)));
  FUZZ_CHECK(again && *again == *der);
  static const crypto::EcKey key = *crypto::EcKey::derive(crypto::Curve::kP256, Bytes(32, 1), "root");
  static const crypto::Certificate certificate = [] {
    crypto::CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "CA";
    spec.organization = "Test";
    spec.not_after = 253402300799;
    spec.serial = {1, 2};
    spec.is_ca = true;
    return *crypto::issue_certificate(spec, key, key);
  }();
  (void)crl->covers(certificate);
  (void)crl->lists(certificate);
  for (const crypto::Curve curve : {crypto::Curve::kP256, crypto::Curve::kP384}) {
    const auto verdict = crl->verify(certificate, curve);
    FUZZ_CHECK(verdict || !verdict.error().message.empty());
  }
}
