// Reference manifests. The test parses the input as it is, and the input with a signature by the test, so that the code
// after the signature is reached too.
#include <algorithm>

#include "codec/rim.h"
#include "crypto/signed_xml.h"
#include "fuzz.h"

namespace {

using namespace cloister;

struct Signer {
  crypto::EcKey key = *crypto::EcKey::derive(crypto::Curve::kP384, Bytes(32, 1), "rim signer");
  std::vector<crypto::Certificate> chain;

  Signer() {
    crypto::CertificateSpec spec;
    spec.subject_common_name = spec.issuer_common_name = "Signer";
    spec.not_after = 253402300799;
    spec.serial = {1};
    chain = {*crypto::issue_certificate(spec, key, key)};
  }
};

std::size_t depth(const crypto::XmlElement& element) {
  std::size_t most = 0;
  for (const crypto::XmlElement& child : element.children) most = std::max(most, depth(child));
  return most + 1;
}

void visit(std::string_view text) {
  const auto document = crypto::SignedXml::parse(text);
  if (!document) return;
  FUZZ_CHECK(!document->certificates().empty() && document->certificates().size() <= 8);
  const auto root = document->verify();
  if (!root) return;
  FUZZ_CHECK(depth(*root) <= 32);
  const auto rim = codec::read_rim(*root);
  if (!rim) return;
  FUZZ_CHECK(rim->entries.size() <= 255);
  for (const codec::RimEntry& entry : rim->entries) {
    FUZZ_CHECK(entry.index <= 254 && !entry.hashes.empty());
    for (const Bytes& hash : entry.hashes) FUZZ_CHECK(hash.size() == entry.size);
  }
}

}  // namespace

FUZZ_TARGET(input) {
  static const Signer signer;
  (void)codec::is_corim(as_text(input));
  visit(as_text(input));
  if (const auto text = crypto::sign_xml(as_text(input), signer.key, signer.chain); text) visit(*text);
}
