#include "crypto/x509_amd.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/x509_amd_testing.h"

namespace cloister::crypto {
namespace {

using namespace testing;

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

Bytes der(std::string_view base64) { return *from_base64(base64); }
Certificate certificate(std::string_view base64) { return *Certificate::from_der(der(base64)); }

std::vector<Certificate> chain(std::string_view leaf = kLeaf) {
  return {certificate(leaf), certificate(kAuthority), certificate(kRoot)};
}

std::string complaint(const std::vector<Certificate>& certificates, UnixSeconds time = kTime) {
  const auto valid = verify_amd_certificate_chain(certificates, certificate(kRoot), time);
  return valid ? "" : valid.error().message;
}

TEST(AmdChain, OfThreeUnderThePinnedRoot) {
  EXPECT_EQ(complaint(chain()), "");
  EXPECT_NE(complaint({chain()[0], chain()[2]}), "");
  EXPECT_NE(complaint({chain()[1], chain()[1], chain()[2]}), "");
  EXPECT_NE(complaint({chain()[0], chain()[2], chain()[2]}), "");
  EXPECT_NE(complaint({chain()[0], chain()[1], chain()[1]}), "");
  EXPECT_NE(complaint({}), "");
}

TEST(AmdChain, OnlyPssWithSha384AndFullSalt) {
  EXPECT_NE(complaint(chain(kLeafPkcs1)).find("RSA-PSS"), std::string::npos);
  EXPECT_NE(complaint(chain(kLeafShortSalt)).find("RSA-PSS"), std::string::npos);
}

TEST(AmdChain, ValidityOnBothSides) {
  EXPECT_NE(complaint(chain(), 1700000000).find("valid from"), std::string::npos);
  EXPECT_NE(complaint(chain(), 2400000000).find("valid until"), std::string::npos);
}

TEST(AmdChain, ABitOfEachCertificateCounts) {
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<Certificate> changed = chain();
    Bytes bytes = changed[i].der();
    bytes.back() ^= 1;
    changed[i] = *Certificate::from_der(bytes);
    EXPECT_NE(complaint(changed), "") << i;
  }
}

std::string crl_complaint(std::string_view list, UnixSeconds time = kTime) {
  const auto window = verify_amd_crl(der(list), certificate(kRoot), {certificate(kAuthority)}, time);
  return window ? "" : window.error().message;
}

TEST(AmdCrl, GoodOneAndItsWindow) {
  const auto window = verify_amd_crl(der(kCrlEmpty), certificate(kRoot), {certificate(kAuthority)}, kTime);
  ASSERT_TRUE(window) << window.error().message;
  EXPECT_EQ(to_rfc3339(window->next_update), "2026-07-01T00:00:00Z");
  EXPECT_EQ(crl_complaint(kCrlOther), "");
  EXPECT_EQ(crl_complaint(kCrlEmpty, window->this_update), "");
  EXPECT_EQ(crl_complaint(kCrlEmpty, window->next_update - 1), "");
  EXPECT_NE(crl_complaint(kCrlEmpty, window->this_update - 1), "");
  EXPECT_NE(crl_complaint(kCrlEmpty, window->next_update), "");
}

TEST(AmdCrl, RevokedOrForeignOrUnreadableIsAnError) {
  EXPECT_NE(crl_complaint(kCrlAuthority).find("SEV-Test is revoked"), std::string::npos);
  EXPECT_NE(crl_complaint(kCrlRoot).find("ARK-Test is revoked"), std::string::npos);
  EXPECT_NE(crl_complaint(kCrlByAnother).find("signature"), std::string::npos);
  EXPECT_NE(crl_complaint(kRoot), "");
  EXPECT_NE(crl_complaint(""), "");
  Bytes longer = der(kCrlEmpty);
  longer.push_back(0);
  EXPECT_REFUSED(verify_amd_crl(longer, certificate(kRoot), {}, kTime),
                 "AMD revocation list: not a revocation list in DER");
  Bytes changed = der(kCrlEmpty);
  changed.back() ^= 1;
  EXPECT_REFUSED(verify_amd_crl(changed, certificate(kRoot), {}, kTime),
                 "AMD revocation list: the signature does not verify under the root's key");
}

TEST(AmdChain, TheGenuineMilanOneWithItsSerialOfZero) {
  const auto leaf = Certificate::from_der(cloister::testing::vector_bytes("snp/milan_vcek_go.der"));
  const auto authorities = parse_pem_chain(cloister::testing::vector_bytes("snp/ask_ark_milan.pem"));
  ASSERT_TRUE(leaf && authorities);
  EXPECT_EQ(leaf->serial(), Bytes{});
  const auto valid =
      verify_amd_certificate_chain({*leaf, (*authorities)[0], (*authorities)[1]}, (*authorities)[1], kTime);
  EXPECT_TRUE(valid) << valid.error().message;
}

}  // namespace
}  // namespace cloister::crypto
