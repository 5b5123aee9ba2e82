#include "crypto/certificate_request.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/result_testing.h"
#include "crypto/x509.h"

namespace cloister::crypto {
namespace {

TEST(CertificateRequest, NamesTheHostsAndIsSignedByTheKey) {
  const EcKey key = std::move(*EcKey::generate(Curve::kP256));
  const auto pem = make_certificate_request(key, {"node.example", "192.0.2.7"});
  ASSERT_TRUE(pem) << pem.error().message;
  EXPECT_TRUE(pem->starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_EQ(pem->find("PRIVATE"), std::string::npos);
  BIO* const in = BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()));
  X509_REQ* const request = PEM_read_bio_X509_REQ(in, nullptr, nullptr, nullptr);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
  STACK_OF(X509_EXTENSION)* const extensions = X509_REQ_get_extensions(request);
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 1);
  auto* const names = static_cast<GENERAL_NAMES*>(X509V3_EXT_d2i(sk_X509_EXTENSION_value(extensions, 0)));
  ASSERT_EQ(sk_GENERAL_NAME_num(names), 2);
  EXPECT_EQ(sk_GENERAL_NAME_value(names, 0)->type, GEN_DNS);
  EXPECT_EQ(sk_GENERAL_NAME_value(names, 1)->type, GEN_IPADD);
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);

  // The public half is that of certificates for the same key.
  CertificateSpec spec;
  spec.subject_common_name = spec.issuer_common_name = "x";
  spec.not_after = 1;
  spec.serial = {1};
  const Certificate certificate = *issue_certificate(spec, key, key);
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &der);
  EXPECT_TRUE(equal(ByteView(der, static_cast<std::size_t>(size)), certificate.subject_public_key_info()));
  OPENSSL_free(der);
  X509_REQ_free(request);
  BIO_free(in);
}

TEST(CertificateRequest, RefusesWhatIsNoName) {
  const EcKey key = std::move(*EcKey::generate(Curve::kP256));
  EXPECT_REFUSED(make_certificate_request(key, {}), "a certificate request needs the name of the host");
  for (const char* bad : {"", ".", "a b", "node.example/", "a\nb", "*.", ".example", "node.example.", "h\xc3\xb6st"}) {
    EXPECT_FALSE(make_certificate_request(key, {"node.example", bad})) << bad;
  }
  EXPECT_REFUSED(
      make_certificate_request(key, {std::string(254, 'a')}),
      "expected a host name or an IP address for the certificate request, got \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
  EXPECT_TRUE(make_certificate_request(key, {"*.node.example", "::1", "localhost"}));
}

}  // namespace
}  // namespace cloister::crypto
