// Reading, writing and refusing certificates and PEM chains. x509_chain_test.cc tests the rules for chains.
#include "crypto/x509.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/certificate_handles.h"
#include "crypto/hash.h"

namespace cloister::crypto {
namespace {

constexpr std::string_view kExplicitCurve =
    "MIICcjCCAhegAwIBAgIUMT8XW1vFTiGGNGGBqd4skmzsIcswCgYIKoZIzj0EAwIwEzERMA8GA1UEAwwIZXhwbGljaXQwIBcNMjYx"
    "MTIyMjIxNzU4WhgPMjEyNjEwMjkyMjE3NThaMBMxETAPBgNVBAMMCGV4cGxpY2l0MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYH"
    "KoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////////////"
    "///8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vObl"
    "Y6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqt"
    "pxeehPO5ysL8YyVRAgEBA0IABK7Z+Q57YmCThviJBmcpdTDNeTHLsSBTHYhwqEWYoHktPnsCFzuMl1IBRarnfai81f/mDCypsRYa"
    "zw8fYcyuBRujUzBRMB0GA1UdDgQWBBSawQf0EQgARaopd4VuVR6XY1TCATAfBgNVHSMEGDAWgBSawQf0EQgARaopd4VuVR6XY1TC"
    "ATAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDW7Ovad3Hs7nl/ab/taxRBlg3doj/EAydoFWbdMKysHAIhAIBv"
    "tt6eFNJqqt4vx6v4nu/7elXI74shNP1+jTfOo45M";  // self-signed, its key spells out the parameters of P-256

CertificateSpec plain_spec() {
  CertificateSpec spec;
  spec.subject_common_name = "Subject";
  spec.issuer_common_name = "Issuer";
  spec.organization = "Organization";
  spec.not_before = 1000000000;
  spec.not_after = 253402300799;
  spec.serial = {0x80, 0x01};
  return spec;
}

EcKey plain_key() { return *EcKey::derive(Curve::kP256, Bytes(32, 3), "x509 test"); }

Certificate issued(const CertificateSpec& spec) {
  const EcKey key = plain_key();
  const auto certificate = issue_certificate(spec, key, key);
  EXPECT_TRUE(certificate) << certificate.error().message;
  return *certificate;
}

TEST(IssueCertificate, FieldsComeBack) {
  const Certificate certificate = issued(plain_spec());
  EXPECT_EQ(certificate.subject_common_name(), "Subject");
  EXPECT_EQ(certificate.issuer_common_name(), "Issuer");
  EXPECT_EQ(to_rfc3339(certificate.not_before()), "2001-09-09T01:46:40Z");
  EXPECT_EQ(to_rfc3339(certificate.not_after()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(certificate.serial(), (Bytes{0x80, 0x01}));
  EXPECT_FALSE(certificate.is_ca());
  EXPECT_EQ(*certificate.ec_curve(), Curve::kP256);
  EXPECT_EQ(*certificate.ec_public_point(), plain_key().public_point());
  // A P-256 SubjectPublicKeyInfo is a fixed prefix and the point.
  const Bytes info = certificate.subject_public_key_info();
  EXPECT_EQ(to_hex(info), "3059301306072a8648ce3d020106082a8648ce3d030107034200"
                          "04" +
                              to_hex(plain_key().public_point()));
}

TEST(IssueCertificate, IsDeterministicAndVerifies) {
  const Certificate certificate = issued(plain_spec());
  EXPECT_EQ(certificate.der(), issued(plain_spec()).der());
  EXPECT_EQ(X509_verify(with_key(certificate).get(), plain_key().impl().key.get()), 1);
}

TEST(IssueCertificate, AlternativeNamesTakeHostsAndAddresses) {
  CertificateSpec spec = plain_spec();
  spec.dns_names = {"node.example", "127.0.0.1", "::1"};
  const Certificate certificate = issued(spec);
  X509* x509 = certificate.impl().x509.get();
  EXPECT_EQ(X509_check_host(x509, "node.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(x509, "other.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x509, "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x509, "127.0.0.2", 0), 0);
}

TEST(IssueCertificate, ImpossibleSpecsAreRefused) {
  const EcKey key = plain_key();
  const auto refused = [&](void (*spoil)(CertificateSpec&)) {
    CertificateSpec spec = plain_spec();
    spoil(spec);
    return !issue_certificate(spec, key, key);
  };
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.serial = {}; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.serial = Bytes(4, 0); }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.serial = Bytes(21, 1); }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.not_before = s.not_after + 1; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.not_after = 253402300800; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.path_length = 0; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.subject_common_name = "not UTF-8: \xff"; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.extensions = {{"one.two", false, {}}}; }));
  EXPECT_TRUE(refused([](CertificateSpec& s) { s.extensions = {{"1.2.3", false, {5, 0}}, {"1.2.3", false, {5, 0}}}; }));
  CertificateSpec longest = plain_spec();
  longest.serial = Bytes(20, 0xff);
  EXPECT_EQ(issued(longest).serial()[0], 0x7f);
}

TEST(Certificate, EveryTruncationAndAnyTrailingByteIsRefused) {
  const Bytes der = issued(plain_spec()).der();
  ASSERT_TRUE(Certificate::from_der(der));
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_REFUSED(Certificate::from_der(ByteView(der).first(size)), "not an X.509 certificate in DER") << size;
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_REFUSED(Certificate::from_der(longer), "bytes follow the certificate");
  EXPECT_REFUSED(Certificate::from_der(Bytes(70000, 0x30)), "a certificate has at most 65536 bytes, got 70000");
}

TEST(Certificate, WithoutCommonNameReadsAsEmpty) {
  CertificateSpec spec = plain_spec();
  spec.subject_common_name.clear();
  EXPECT_EQ(issued(spec).subject_common_name(), "");
}

TEST(Certificate, CurveSpelledOutIsRefused) {
  const auto certificate = Certificate::from_der(*from_base64(kExplicitCurve));
  ASSERT_TRUE(certificate) << certificate.error().message;
  ASSERT_FALSE(certificate->ec_curve());
  EXPECT_REFUSED(certificate->ec_public_point(),
                 "the EC key spells out its curve parameters instead of naming the curve");
  EXPECT_REFUSED(
      verify_certificate_chain({*certificate, *certificate}, *certificate, Curve::kP256, 1800000000),
      "certificate 1 of the chain (explicit): the EC key spells out its curve parameters instead of naming the curve");
}

TEST(PemChain, RoundTripWithWhateverWhiteSpace) {
  const Certificate certificate = issued(plain_spec());
  const std::string pem = certificate.to_pem();
  const auto good = [](const std::string& text, std::size_t count) {
    const auto chain = parse_pem_chain(as_bytes(text));
    return chain && chain->size() == count;
  };
  EXPECT_EQ(parse_pem_chain(as_bytes(pem))->front().der(), certificate.der());
  EXPECT_TRUE(good(pem + pem, 2));
  EXPECT_TRUE(good("\n " + pem + "\r\n\t" + pem + "\n\n", 2));
  // The rest of a buffer, which NVML's callers pass on.
  for (const std::size_t zeros : {1u, 2u, 5u, 4000u}) EXPECT_TRUE(good(pem + std::string(zeros, '\0'), 1));
  EXPECT_TRUE(good(pem + std::string(2, '\0') + "\n \r\t" + std::string(1, '\0'), 1));
  std::string windows;
  for (const char c : pem) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_TRUE(good(windows, 1));
}

TEST(PemChain, AnythingElseIsRefused) {
  const std::string pem = issued(plain_spec()).to_pem();
  const auto bad = [](const std::string& text) { return !parse_pem_chain(as_bytes(text)); };
  EXPECT_TRUE(bad(""));
  EXPECT_TRUE(bad(" \n"));
  EXPECT_TRUE(bad(std::string(1, '\0')));
  EXPECT_TRUE(bad("junk\n" + pem));
  EXPECT_TRUE(bad(pem + "junk"));
  EXPECT_TRUE(bad(pem + "junk" + pem));
  EXPECT_TRUE(bad(std::string(5, '\0')));
  EXPECT_TRUE(bad(pem + std::string(2, '\0') + 'x'));
  EXPECT_TRUE(bad(pem + 'x' + std::string(2, '\0')));
  EXPECT_TRUE(bad(pem + '\x01'));
  EXPECT_TRUE(bad(std::string(1, '\0') + pem));
  EXPECT_TRUE(bad(pem + std::string(1, '\0') + pem));
  EXPECT_TRUE(bad(pem.substr(0, pem.size() - 5)));
  EXPECT_TRUE(bad("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"));
  EXPECT_TRUE(bad("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  std::string damaged = pem;
  damaged[40] = '*';
  EXPECT_TRUE(bad(damaged));
  std::string many;
  for (int i = 0; i < 8; ++i) many += pem;
  EXPECT_FALSE(bad(many));
  EXPECT_TRUE(bad(many + pem));
  EXPECT_REFUSED(parse_pem_chain(as_bytes(pem + pem), 1), "expected at most 1 certificates, got more");
}

TEST(Certificate, RealOnesRead) {
  const auto root = Certificate::from_der(testing::vector_bytes("tdx/intel_sgx_root_ca.der"));
  ASSERT_TRUE(root);
  EXPECT_EQ(root->subject_common_name(), "Intel SGX Root CA");
  EXPECT_TRUE(root->is_ca());
  const auto device = parse_pem_chain(testing::vector_bytes("nvidia/roots/device_root.pem"));
  ASSERT_TRUE(device);
  EXPECT_EQ(device->front().subject_common_name(), "NVIDIA Device Identity CA");
  EXPECT_EQ(*device->front().ec_curve(), Curve::kP384);
}

}  // namespace
}  // namespace cloister::crypto
