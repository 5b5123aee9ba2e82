// PEM chains. Every accessor is safe on whatever parses, and PEM and DER lead to the same certificate. The chain rules
// run on chains that no authority would issue.
#include "crypto/x509.h"
#include "fuzz.h"

namespace {

using namespace cloister;

void visit(const crypto::Certificate& certificate) {
  const auto from_der = crypto::Certificate::from_der(certificate.der());
  FUZZ_CHECK(from_der && from_der->der() == certificate.der());
  const auto from_pem = crypto::parse_pem_chain(as_bytes(certificate.to_pem()));
  FUZZ_CHECK(from_pem && from_pem->size() == 1 && from_pem->front().der() == certificate.der());
  (void)certificate.subject_common_name();
  (void)certificate.issuer_common_name();
  (void)certificate.subject_public_key_info();
  (void)certificate.serial();
  (void)certificate.is_ca();
  (void)certificate.extension("1.2.840.113741.1.13.1");
  const auto curve = certificate.ec_curve();
  const auto point = certificate.ec_public_point();
  FUZZ_CHECK(!point || (curve && point->size() == 2 * crypto::coordinate_size(*curve)));
}

}  // namespace

FUZZ_TARGET(input) {
  const auto chain = crypto::parse_pem_chain(input);
  if (!chain) {
    (void)crypto::Certificate::from_der(input);
    return;
  }
  FUZZ_CHECK(!chain->empty() && chain->size() <= 8);
  for (const crypto::Certificate& certificate : *chain) visit(certificate);
  for (const crypto::Curve curve : {crypto::Curve::kP256, crypto::Curve::kP384}) {
    const auto verdict = crypto::verify_certificate_chain(*chain, chain->back(), curve, chain->front().not_before());
    FUZZ_CHECK(verdict || !verdict.error().message.empty());
  }
}
