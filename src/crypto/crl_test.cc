// Revocation lists: genuine ones of Intel, and our own with one fault each.
#include "crypto/crl.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/testing/der_maker.h"

namespace cloister::crypto {
namespace {

using testing::CrlMaker;
using testing::der;
using testing::der_extension;
using testing::der_integer;

constexpr UnixSeconds kThis = 1700000000, kNext = 1800000000;
const Bytes kCrlNumber = {0x55, 0x1d, 0x14}, kDeltaIndicator = {0x55, 0x1d, 0x1b}, kReason = {0x55, 0x1d, 0x15},
            kIssuingPoint = {0x55, 0x1d, 0x1c}, kCertificateIssuer = {0x55, 0x1d, 0x1d}, kUnknown = {0x2a, 0x03, 0x04};

struct Ca {
  EcKey key;
  Certificate certificate;
};

CertificateSpec ca_spec(const std::string& name) {
  CertificateSpec spec;
  spec.subject_common_name = spec.issuer_common_name = name;
  spec.organization = "Test";
  spec.not_before = kThis;
  spec.not_after = kNext;
  spec.serial = {1};
  spec.is_ca = true;
  return spec;
}

Ca make_ca(const std::string& name, const std::string& label, Curve curve = Curve::kP256) {
  EcKey key = *EcKey::derive(curve, Bytes(32, 7), label);
  Certificate certificate = *issue_certificate(ca_spec(name), key, key);
  return {std::move(key), std::move(certificate)};
}

Certificate make_leaf(const Ca& ca, Bytes serial) {
  CertificateSpec spec = ca_spec("Leaf");
  spec.issuer_common_name = ca.certificate.subject_common_name();
  spec.serial = std::move(serial);
  spec.is_ca = false;
  return *issue_certificate(spec, *EcKey::derive(ca.key.curve(), Bytes(32, 7), "leaf"), ca.key);
}

CrlMaker maker() {
  CrlMaker out;
  out.issuer_common_name = "CA";
  out.organization = "Test";
  out.this_update = kThis;
  out.next_update = kNext;
  out.extensions = {der_extension(kCrlNumber, false, der_integer(Bytes{5}))};
  return out;
}

TEST(Crl, ReadsWhatItSays) {
  const Ca ca = make_ca("CA", "ca");
  CrlMaker list = maker();
  list.revoked = {{0x01}, {0xff, 0x01}, Bytes(20, 0x7f)};
  list.entry_extensions = {der_extension(kReason, false, der(0x0a, Bytes{1}))};
  const auto crl = Crl::from_der(list.sign(ca.key));
  ASSERT_TRUE(crl) << crl.error().message;
  EXPECT_EQ(crl->issuer_common_name(), "CA");
  EXPECT_EQ(crl->this_update(), kThis);
  EXPECT_EQ(crl->next_update(), kNext);
  EXPECT_EQ(crl->size(), 3u);
  EXPECT_TRUE(crl->verify(ca.certificate, Curve::kP256));
}

// Compared as integers: leading zeros and the sign octet do not matter.
TEST(Crl, LooksSerialsUpAsIntegers) {
  const Ca ca = make_ca("CA", "ca");
  CrlMaker list = maker();
  list.revoked = {{0x01, 0x02}, {0x80}, Bytes(20, 0x7f)};
  const Crl crl = *Crl::from_der(list.sign(ca.key));
  struct {
    Bytes serial;
    bool listed;
  } const cases[] = {{{0x01, 0x02}, true},     {{0x00, 0x01, 0x02}, true},  {{0x80}, true},
                     {Bytes(20, 0x7f), true},  {{0x02, 0x01}, false},       {{0x01}, false},
                     {{0x02}, false},          {{0x01, 0x02, 0x00}, false}, {{0x08}, false},
                     {Bytes(19, 0x7f), false}, {{0x01, 0x03}, false}};
  for (const auto& c : cases) EXPECT_EQ(crl.lists(make_leaf(ca, c.serial)), c.listed) << to_hex(c.serial);
}

TEST(Crl, CoversTheCertificatesOfItsIssuer) {
  const Ca ca = make_ca("CA", "ca");
  const Crl crl = *Crl::from_der(maker().sign(ca.key));
  EXPECT_TRUE(crl.covers(make_leaf(ca, {2})));
  EXPECT_FALSE(crl.covers(make_leaf(make_ca("Other CA", "ca"), {2})));
}

TEST(Crl, IsVerifiedUnderItsIssuerOnly) {
  const Ca ca = make_ca("CA", "ca");
  const Crl crl = *Crl::from_der(maker().sign(ca.key));
  EXPECT_TRUE(crl.verify(ca.certificate, Curve::kP256));
  EXPECT_REFUSED(crl.verify(ca.certificate, Curve::kP384),
                 "revocation list: expected a signature by a key on P-384 with its digest");
  EXPECT_REFUSED(crl.verify(make_ca("CA", "another key").certificate, Curve::kP256),
                 "revocation list: the signature does not verify under its issuer's key");
  EXPECT_REFUSED(crl.verify(make_ca("Other CA", "ca").certificate, Curve::kP256),
                 "revocation list: its issuer is not the certificate authority that should have made it");
  const Ca big = make_ca("CA", "big", Curve::kP384);
  EXPECT_REFUSED(crl.verify(big.certificate, Curve::kP256),
                 "revocation list: expected a signature by a key on P-256 with its digest");
  EXPECT_TRUE(Crl::from_der(maker().sign(big.key))->verify(big.certificate, Curve::kP384));
  EXPECT_REFUSED(crl.verify(make_leaf(ca, {2}), Curve::kP256),
                 "revocation list: its issuer is not the certificate authority that should have made it");
  // A certificate without the right to sign lists, with the name and key of one that has this right.
  CertificateSpec spec = ca_spec("CA");
  spec.is_ca = false;
  EXPECT_REFUSED(crl.verify(*issue_certificate(spec, ca.key, ca.key), Curve::kP256),
                 "revocation list: the key usage of its issuer does not include signing lists");
}

TEST(Crl, EveryByteIsSignedOrMalformed) {
  const Ca ca = make_ca("CA", "ca");
  CrlMaker list = maker();
  list.revoked = {{0x01, 0x02}};
  const Bytes good = list.sign(ca.key);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    const auto crl = Crl::from_der(bad);
    EXPECT_TRUE(!crl || !crl->verify(ca.certificate, Curve::kP256)) << "byte " << i;
  }
}

TEST(Crl, WhatMayMeanSomethingElseIsRefused) {
  const Ca ca = make_ca("CA", "ca");
  struct {
    const char* what;
    std::function<void(CrlMaker&)> change;
  } const cases[] = {
      {"delta",
       [](CrlMaker& m) { m.extensions.push_back(der_extension(kDeltaIndicator, true, der_integer(Bytes{1}))); }},
      {"delta that is not critical",
       [](CrlMaker& m) { m.extensions.push_back(der_extension(kDeltaIndicator, false, der_integer(Bytes{1}))); }},
      {"issuing distribution point",
       [](CrlMaker& m) {
         m.extensions.push_back(der_extension(kIssuingPoint, true, {0x30, 0x00}));
       }},
      {"unknown critical",
       [](CrlMaker& m) {
         m.extensions.push_back(der_extension(kUnknown, true, {0x05, 0x00}));
       }},
      {"twice", [](CrlMaker& m) { m.extensions.push_back(m.extensions.front()); }},
      {"unknown critical in an entry",
       [](CrlMaker& m) {
         m.revoked = {{1}};
         m.entry_extensions = {der_extension(kUnknown, true, {0x05, 0x00})};
       }},
      {"entry about another issuer",
       [](CrlMaker& m) {
         m.revoked = {{1}};
         m.entry_extensions = {der_extension(kCertificateIssuer, true, {0x30, 0x00})};
       }},
      {"no nextUpdate", [](CrlMaker& m) { m.next_update.reset(); }},
  };
  for (const auto& c : cases) {
    CrlMaker list = maker();
    c.change(list);
    EXPECT_FALSE(Crl::from_der(list.sign(ca.key))) << c.what;
  }
  CrlMaker harmless = maker();
  harmless.extensions.push_back(der_extension(kUnknown, false, {0x05, 0x00}));
  EXPECT_TRUE(Crl::from_der(harmless.sign(ca.key)));
}

TEST(Crl, WhatIsNoListIsRefused) {
  const Ca ca = make_ca("CA", "ca");
  const Bytes good = maker().sign(ca.key);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_REFUSED(Crl::from_der(ByteView(good).first(size)), "revocation list: not an X.509 revocation list in DER")
        << size;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_REFUSED(Crl::from_der(longer), "revocation list: bytes follow its end");
  EXPECT_REFUSED(Crl::from_der(Bytes(4 * 1024 * 1024 + 1, 0x30)),
                 "revocation list: expected at most 4194304 bytes, got 4194305");
  EXPECT_REFUSED(Crl::from_der(ca.certificate.der()), "revocation list: not an X.509 revocation list in DER");
}

TEST(Crl, IsTakenInThreeForms) {
  const Bytes list = maker().sign(make_ca("CA", "ca").key);
  const std::string base64 = to_base64(list);
  const auto text = [](const std::string& s) { return decode_crl(as_bytes(s)); };
  EXPECT_EQ(*decode_crl(list), list);
  EXPECT_EQ(*text(to_hex(list) + "\n"), list);
  EXPECT_EQ(*text("-----BEGIN X509 CRL-----\n" + base64.substr(0, 64) + "\r\n" + base64.substr(64) +
                  "\n-----END X509 CRL-----\n"),
            list);
  EXPECT_TRUE(text("")->empty());
  for (const char* bad : {"-----BEGIN X509 CRL-----", "-----BEGIN X509 CRL-----\n*\n-----END X509 CRL-----", "xyz",
                          "-----BEGIN X509 CRL----------END X509 CRL-----x", "3"}) {
    EXPECT_FALSE(text(bad)) << bad;
  }
}

TEST(GenuineCrl, OfIntelsRootAndPlatformAuthority) {
  const auto root = Certificate::from_der(testing::vector_bytes("tdx/intel_sgx_root_ca.der"));
  const auto root_list = Crl::from_der(testing::vector_bytes("tdx/v4_50806f.rootcrl.der"));
  ASSERT_TRUE(root && root_list);
  EXPECT_TRUE(root_list->verify(*root, Curve::kP256));
  EXPECT_EQ(root_list->size(), 0u);
  EXPECT_EQ(to_rfc3339(root_list->this_update()), "2023-04-03T10:22:51Z");
  EXPECT_EQ(to_rfc3339(root_list->next_update()), "2024-04-02T10:22:51Z");

  const auto der = decode_crl(testing::vector_bytes("tdx/v4_50806f.pckcrl.hex"));
  ASSERT_TRUE(der);
  const auto platform_list = Crl::from_der(*der);
  ASSERT_TRUE(platform_list) << platform_list.error().message;
  EXPECT_EQ(platform_list->size(), 44u);
  EXPECT_EQ(platform_list->issuer_common_name(), "Intel SGX PCK Platform CA");
  EXPECT_REFUSED(platform_list->verify(*root, Curve::kP256),
                 "revocation list: its issuer is not the certificate authority that should have made it");
}

}  // namespace
}  // namespace cloister::crypto
