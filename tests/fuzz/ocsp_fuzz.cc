// OCSP responses, which are verified for a certificate of this test.
#include "crypto/ocsp.h"
#include "fuzz.h"

namespace {

using namespace cloister;

std::vector<crypto::Certificate> make_chain() {
  const auto key = [](const char* label) { return *crypto::EcKey::derive(crypto::Curve::kP384, Bytes(32, 1), label); };
  crypto::CertificateSpec root;
  root.subject_common_name = root.issuer_common_name = "Root";
  root.not_after = 253402300799;
  root.serial = {1};
  root.is_ca = true;
  crypto::CertificateSpec leaf = root;
  leaf.subject_common_name = "Leaf";
  leaf.serial = {2};
  leaf.is_ca = false;
  return {*crypto::issue_certificate(leaf, key("leaf"), key("root")),
          *crypto::issue_certificate(root, key("root"), key("root"))};
}

}  // namespace

FUZZ_TARGET(input) {
  static const std::vector<crypto::Certificate> chain = make_chain();
  const auto response = crypto::OcspResponse::from_der(input);
  if (!response) return;
  const bool about = response->is_about(chain[0], chain[1]);
  const auto answer = response->verify(chain[0], std::span(chain).subspan(1));
  FUZZ_CHECK(!answer || about);
  const bool current = answer && crypto::check_ocsp_window(*answer, 1780272000);
  if (current) FUZZ_CHECK(answer->this_update <= 1780272000);
}
