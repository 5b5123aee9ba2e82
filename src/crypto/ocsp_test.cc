#include "crypto/ocsp.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "crypto/hash.h"

namespace cloister::crypto {
namespace {

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

struct Member {
  EcKey key;
  Certificate certificate;
};

EcKey key_of(const std::string& label, Curve curve = Curve::kP384) {
  return *EcKey::derive(curve, Bytes(32, 7), label);
}

CertificateSpec spec_of(const std::string& name, const std::string& issuer, bool is_ca) {
  CertificateSpec spec;
  spec.subject_common_name = name;
  spec.issuer_common_name = issuer;
  spec.not_before = kTime - 1000000;
  spec.not_after = kTime + 1000000;
  spec.serial = to_bytes(ByteView(sha256(as_bytes(name))).first(8));
  spec.is_ca = is_ca;
  return spec;
}

// id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9 in an extended key usage.
CertificateExtension ocsp_signing() {
  return {"2.5.29.37", false, {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09}};
}

// Root, CA, leaf, and a responder that the CA has appointed.
struct Tree {
  EcKey root_key = key_of("root"), ca_key = key_of("ca"), leaf_key = key_of("leaf"),
        responder_key = key_of("responder");
  Certificate root = *issue_certificate(spec_of("Root", "Root", true), root_key, root_key);
  Certificate ca = *issue_certificate(spec_of("CA", "Root", true), ca_key, root_key);
  Certificate leaf = *issue_certificate(spec_of("Leaf", "CA", false), leaf_key, ca_key);
  std::vector<Certificate> issuers = {ca, root};

  Certificate responder(const CertificateSpec& spec, const EcKey& issuer) const {
    return *issue_certificate(spec, responder_key, issuer);
  }
  CertificateSpec responder_spec(const std::string& issuer = "CA") const {
    CertificateSpec spec = spec_of("Responder", issuer, false);
    spec.extensions = {ocsp_signing()};
    return spec;
  }
  Result<OcspAnswer> judge(const Bytes& der, UnixSeconds time = kTime) const {
    const auto response = OcspResponse::from_der(der);
    if (!response) return response.error();
    auto answer = response->verify(leaf, issuers);
    if (!answer) return answer;
    if (const auto current = check_ocsp_window(*answer, time); !current) return current.error();
    return answer;
  }
  Bytes by_issuer(const OcspResponseSpec& spec) const { return *make_ocsp_response(spec, leaf, ca, ca, ca_key); }
  Bytes by_delegate(OcspResponseSpec spec, const Certificate& delegate) const {
    spec.included = {delegate};
    return *make_ocsp_response(spec, leaf, ca, delegate, responder_key);
  }
};

const Tree& tree() {
  static const Tree made;
  return made;
}

OcspResponseSpec good() {
  OcspResponseSpec spec;
  spec.this_update = kTime - 100;
  spec.next_update = kTime + 100;
  spec.nonce = Bytes(32, 5);
  return spec;
}

void expect_refused(const Result<OcspAnswer>& answer, std::string_view part) {
  ASSERT_FALSE(answer) << part;
  EXPECT_NE(answer.error().message.find(part), std::string::npos)
      << answer.error().message << " (expected: " << part << ")";
}

TEST(Ocsp, EachStatusIsDistinct) {
  for (const OcspStatus status : {OcspStatus::kGood, OcspStatus::kRevoked, OcspStatus::kOnHold, OcspStatus::kUnknown}) {
    OcspResponseSpec spec = good();
    spec.status = status;
    const auto answer = tree().judge(tree().by_issuer(spec));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->this_update, kTime - 100);
    EXPECT_EQ(answer->next_update, kTime + 100);
    EXPECT_EQ(answer->nonce, Bytes(32, 5));
  }
}

TEST(Ocsp, NonceAndNextUpdateMayBeMissing) {
  OcspResponseSpec spec = good();
  spec.nonce.clear();
  spec.next_update.reset();
  const auto answer = tree().judge(tree().by_issuer(spec));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->nonce, std::nullopt);
  EXPECT_EQ(answer->next_update, std::nullopt);
}

TEST(Ocsp, ADelegateOfTheSameChainMaySign) {
  const auto by_ca = tree().judge(tree().by_delegate(good(), tree().responder(tree().responder_spec(), tree().ca_key)));
  EXPECT_TRUE(by_ca) << by_ca.error().message;
  const auto by_root =
      tree().judge(tree().by_delegate(good(), tree().responder(tree().responder_spec("Root"), tree().root_key)));
  EXPECT_TRUE(by_root) << by_root.error().message;
}

TEST(Ocsp, OtherDelegatesMayNot) {
  const Tree& t = tree();
  CertificateSpec spec = t.responder_spec();
  spec.extensions.clear();
  expect_refused(t.judge(t.by_delegate(good(), t.responder(spec, t.ca_key))), "not meant to sign");
  spec = t.responder_spec();
  spec.is_ca = true;
  expect_refused(t.judge(t.by_delegate(good(), t.responder(spec, t.ca_key))), "not meant to sign");
  spec = t.responder_spec();
  spec.not_after = kTime - 1;
  expect_refused(t.judge(t.by_delegate(good(), t.responder(spec, t.ca_key))), "its signer is valid");
  spec = t.responder_spec();
  spec.extensions.push_back({"1.2.3.4", true, {0x05, 0x00}});
  expect_refused(t.judge(t.by_delegate(good(), t.responder(spec, t.ca_key))), "critical extension");
  // Issued by a stranger with the same name.
  expect_refused(t.judge(t.by_delegate(good(), t.responder(t.responder_spec(), key_of("stranger")))), "issued by none");
  // The leaf itself, which the CA issued for another purpose.
  OcspResponseSpec own = good();
  own.included = {t.leaf};
  expect_refused(t.judge(*make_ocsp_response(own, t.leaf, t.ca, t.leaf, t.leaf_key)), "not meant to sign");
  // Its certificate does not come with the response.
  const Certificate responder = t.responder(t.responder_spec(), t.ca_key);
  expect_refused(t.judge(*make_ocsp_response(good(), t.leaf, t.ca, responder, t.responder_key)), "is not here");
}

TEST(Ocsp, AboutAnotherCertificate) {
  const Bytes der = *make_ocsp_response(good(), tree().ca, tree().root, tree().root, tree().root_key);
  const auto response = OcspResponse::from_der(der);
  ASSERT_TRUE(response);
  EXPECT_FALSE(response->is_about(tree().leaf, tree().ca));
  EXPECT_TRUE(response->is_about(tree().ca, tree().root));
  expect_refused(tree().judge(der), "about another certificate");
}

TEST(Ocsp, OutsideItsWindow) {
  const Bytes der = tree().by_issuer(good());
  EXPECT_TRUE(tree().judge(der, kTime - 100));
  expect_refused(tree().judge(der, kTime - 101), "judged at");
  EXPECT_TRUE(tree().judge(der, kTime + 99));
  expect_refused(tree().judge(der, kTime + 100), "good until");
}

TEST(Ocsp, EveryByteCounts) {
  const Bytes der = tree().by_issuer(good());
  for (std::size_t i = 0; i < der.size(); ++i) {
    Bytes changed = der;
    changed[i] ^= 1;
    const auto answer = tree().judge(changed);
    EXPECT_FALSE(answer) << "byte " << i << " of " << der.size();
    changed.resize(i);
    EXPECT_REFUSED(OcspResponse::from_der(changed), "OCSP response: not DER") << "cut at " << i;
  }
  Bytes followed = der;
  followed.push_back(0);
  EXPECT_REFUSED(OcspResponse::from_der(followed), "OCSP response: bytes follow it");
}

TEST(Ocsp, AnErrorOfTheServiceIsNoAnswer) {
  // OCSPResponse { tryLater }.
  EXPECT_NE(OcspResponse::from_der(Bytes{0x30, 0x03, 0x0a, 0x01, 0x03}).error().message.find("trylater"),
            std::string::npos);
}

TEST(Ocsp, RequestsNameTheCertificateAndTheNonce) {
  const Bytes nonce(32, 9);
  const auto request = make_ocsp_request(tree().leaf, tree().ca, nonce);
  ASSERT_TRUE(request);
  const std::string_view text = as_text(*request);
  EXPECT_NE(text.find(as_text(nonce)), std::string_view::npos);
  EXPECT_NE(text.find(as_text(tree().leaf.serial())), std::string_view::npos);
  EXPECT_REFUSED(make_ocsp_request(tree().leaf, tree().ca, Bytes(33, 1)), "an OCSP nonce has at most 32 bytes");
  const auto without = make_ocsp_request(tree().leaf, tree().ca, {});
  ASSERT_TRUE(without);
  EXPECT_LT(without->size(), request->size());
}

TEST(OcspLinks, RememberOnlyWhatVerified) {
  VerifiedLinks cache;
  const std::vector<Certificate> chain = {tree().leaf, tree().ca, tree().root};
  EXPECT_TRUE(verify_certificate_chain(chain, tree().root, Curve::kP384, kTime, &cache));
  EXPECT_TRUE(cache.holds(tree().leaf, tree().ca));
  EXPECT_FALSE(cache.holds(tree().leaf, tree().root));
  EXPECT_TRUE(verify_certificate_chain(chain, tree().root, Curve::kP384, kTime, &cache));
  // A cached signature does not excuse any other fault.
  EXPECT_REFUSED(verify_certificate_chain(chain, tree().root, Curve::kP384, kTime + 2000000, &cache),
                 "certificate 1 of the chain (Leaf): valid until 2026-06-12T13:46:40Z, judged at 2026-06-24T03:33:20Z");
  const EcKey stranger = key_of("stranger");
  const Certificate forged = *issue_certificate(spec_of("Leaf", "CA", false), key_of("leaf"), stranger);
  EXPECT_REFUSED(
      verify_certificate_chain({forged, tree().ca, tree().root}, tree().root, Curve::kP384, kTime, &cache),
      "certificate 1 of the chain (Leaf): not issued by the next certificate: authority and subject key identifier mismatch");
  EXPECT_FALSE(cache.holds(forged, tree().ca));
}

}  // namespace
}  // namespace cloister::crypto
