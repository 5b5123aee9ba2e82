// Real chains of Intel and NVIDIA, and chains of our own with one fault each.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace cloister::crypto {
namespace {

constexpr UnixSeconds kJune2025 = 1750809600;  // 2025-06-25T00:00:00Z

std::vector<Certificate> chain_of(std::string_view pem) {
  Result<std::vector<Certificate>> chain = parse_pem_chain(as_bytes(pem));
  EXPECT_TRUE(chain) << chain.error().to_string();
  return chain ? *std::move(chain) : std::vector<Certificate>();
}

// The PEM text at the end of a quote, without the zero padding that may follow.
std::string quote_pem(const std::string& quote) {
  const std::size_t end = quote.rfind("-----END CERTIFICATE-----");
  return quote.substr(quote.find("-----BEGIN CERTIFICATE-----"), end + 25 - quote.find("-----BEGIN CERTIFICATE-----"));
}

Certificate intel_root() { return *Certificate::from_der(testing::vector_bytes("tdx/intel_sgx_root_ca.der")); }

TEST(RealChains, IntelPckChainHoldsAtTheTimeOfItsQuote) {
  const auto chain = chain_of(quote_pem(testing::vector_text("tdx/v4_b0c06f_uptodate.bin")));
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].subject_common_name(), "Intel SGX PCK Certificate");
  EXPECT_EQ(chain[0].issuer_common_name(), "Intel SGX PCK Platform CA");
  EXPECT_EQ(to_hex(sha256(chain[2].der())), "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
  EXPECT_TRUE(chain[0].extension("1.2.840.113741.1.13.1").has_value());
  const auto verdict = verify_certificate_chain(chain, intel_root(), Curve::kP256, kJune2025);
  EXPECT_TRUE(verdict) << verdict.error().message;
}

TEST(RealChains, IntelPckChainsOfTheOtherQuotesHold) {
  for (const std::string& name : cloister::testing::those_there(
           {"tdx/v4_50806f.bin", "tdx/v4_50806f_DEBUG.bin", "tdx/v5_td15_90c06f.bin", "tdx/sgx_v3_00a067.bin",
            "tdx/ccel/cos113_quote_8000.bin", "tdx/v4_90c06f_h200.bin", "tdx/v5_90c06f_outdated.bin",
            "tdx/v5_td15ex_b0c06f.bin"})) {
    const auto chain = chain_of(quote_pem(testing::vector_text(name)));
    ASSERT_EQ(chain.size(), 3u) << name;
    const UnixSeconds time = chain[0].not_before() + 86400;
    const auto verdict = verify_certificate_chain(chain, intel_root(), Curve::kP256, time);
    EXPECT_TRUE(verdict) << name << ": " << verdict.error().message;
  }
}

TEST(RealChains, IntelPckChainFailsOutsideItsValidityOnBothSides) {
  const auto chain = chain_of(quote_pem(testing::vector_text("tdx/v4_b0c06f_uptodate.bin")));
  const Certificate root = intel_root();
  EXPECT_TRUE(verify_certificate_chain(chain, root, Curve::kP256, chain[0].not_before()));
  EXPECT_TRUE(verify_certificate_chain(chain, root, Curve::kP256, chain[0].not_after()));
  EXPECT_REFUSED(
      verify_certificate_chain(chain, root, Curve::kP256, chain[0].not_before() - 1),
      "certificate 1 of the chain (Intel SGX PCK Certificate): valid from 2025-02-06T23:25:51Z, judged at 2025-02-06T23:25:50Z");
  EXPECT_REFUSED(
      verify_certificate_chain(chain, root, Curve::kP256, chain[0].not_after() + 1),
      "certificate 1 of the chain (Intel SGX PCK Certificate): valid until 2032-02-06T23:25:51Z, judged at 2032-02-06T23:25:52Z");
}

TEST(RealChains, NvidiaDeviceChainsHoldUntilTheYear9999) {
  const Certificate root = chain_of(testing::vector_text("nvidia/roots/device_root.pem")).front();
  const auto hopper = chain_of(testing::vector_text("nvidia/hopper_550.90.07.certs.pem"));
  ASSERT_EQ(hopper.size(), 5u);
  EXPECT_EQ(to_rfc3339(hopper[0].not_after()), "9999-12-31T23:59:59Z");
  for (const std::string& name :
       cloister::testing::those_there({"nvidia/hopper_550.90.07.certs.pem", "nvidia/hopper_535.86.09.certs.b64",
                                       "nvidia/blackwell_575.32.certs.b64", "nvidia/parsed/sdk_hopper.certs.b64",
                                       "nvidia/parsed/sdk_switch.certs.b64"})) {
    const auto chain = chain_of(testing::vector_text(name));
    const auto verdict = verify_certificate_chain(chain, root, Curve::kP384, kJune2025);
    EXPECT_TRUE(verdict) << name << ": " << verdict.error().message;
  }
  for (const UnixSeconds time : {kJune2025, UnixSeconds{253402300799}}) {
    const auto verdict = verify_certificate_chain(hopper, root, Curve::kP384, time);
    EXPECT_TRUE(verdict) << verdict.error().message;
  }
  EXPECT_REFUSED(
      verify_certificate_chain(hopper, root, Curve::kP384, 253402300800),
      "certificate 1 of the chain (GH100 A01 GSP FMC LF): valid until 9999-12-31T23:59:59Z, judged at 10000-01-01T00:00:00Z");
  EXPECT_REFUSED(verify_certificate_chain(hopper, root, Curve::kP256, kJune2025),
                 "certificate 1 of the chain (GH100 A01 GSP FMC LF): expected a key on P-256, got one on P-384");
}

TEST(RealChains, ForeignRootIsRefused) {
  const auto chain = chain_of(testing::vector_text("tdx/intel_qvl_synthetic/pckSignChain.pem"));
  ASSERT_GE(chain.size(), 2u);
  const auto verdict = verify_certificate_chain(chain, intel_root(), Curve::kP256, kJune2025);
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().message.find("not the pinned root"), std::string::npos);
}

// A chain of our own: leaf <- intermediate <- root, with room for one defect.
struct Recipe {
  CertificateSpec root, intermediate, leaf;
  Curve curve = Curve::kP256;
  Curve leaf_curve = Curve::kP256;
  bool wrong_issuer_key = false;
};

Recipe sound_recipe() {
  Recipe recipe;
  recipe.root = {.subject_common_name = "Root",
                 .issuer_common_name = "Root",
                 .organization = "Test",
                 .not_before = 1000,
                 .not_after = 9000,
                 .serial = {1},
                 .is_ca = true,
                 .path_length = 1,
                 .dns_names = {},
                 .extensions = {}};
  recipe.intermediate = recipe.root;
  recipe.intermediate.subject_common_name = "Intermediate";
  recipe.intermediate.serial = {2};
  recipe.intermediate.path_length = 0;
  recipe.leaf = recipe.root;
  recipe.leaf.subject_common_name = "Leaf";
  recipe.leaf.issuer_common_name = "Intermediate";
  recipe.leaf.serial = {3};
  recipe.leaf.is_ca = false;
  recipe.leaf.path_length.reset();
  return recipe;
}

std::vector<Certificate> cook(const Recipe& recipe) {
  const Bytes seed(32, 7);
  const EcKey root_key = *EcKey::derive(recipe.curve, seed, "root");
  const EcKey intermediate_key = *EcKey::derive(recipe.curve, seed, "intermediate");
  const EcKey leaf_key = *EcKey::derive(recipe.leaf_curve, seed, "leaf");
  const auto root = issue_certificate(recipe.root, root_key, root_key);
  const auto intermediate = issue_certificate(recipe.intermediate, intermediate_key, root_key);
  const auto leaf = issue_certificate(recipe.leaf, leaf_key, recipe.wrong_issuer_key ? root_key : intermediate_key);
  EXPECT_TRUE(root && intermediate && leaf);
  return {*leaf, *intermediate, *root};
}

TEST(OwnChains, SoundChainHoldsOnBothCurves) {
  for (const Curve curve : {Curve::kP256, Curve::kP384}) {
    Recipe recipe = sound_recipe();
    recipe.curve = recipe.leaf_curve = curve;
    const auto chain = cook(recipe);
    const auto verdict = verify_certificate_chain(chain, chain.back(), curve, 5000);
    EXPECT_TRUE(verdict) << verdict.error().message;
  }
}

TEST(OwnChains, EachDefectIsNamed) {
  struct Case {
    const char* expected;
    std::function<void(Recipe&)> spoil;
  };
  const Case cases[] = {
      {"valid from", [](Recipe& r) { r.intermediate.not_before = 6000; }},
      {"valid until", [](Recipe& r) { r.leaf.not_after = 4000; }},
      {"valid until", [](Recipe& r) { r.root.not_after = 4000; }},
      {"expected an end entity", [](Recipe& r) { r.leaf.is_ca = true; }},
      {"expected a CA",
       [](Recipe& r) {
         r.intermediate.is_ca = false;
         r.intermediate.path_length.reset();
       }},
      {"path length", [](Recipe& r) { r.root.path_length = 0; }},
      {"issuer name", [](Recipe& r) { r.leaf.issuer_common_name = "Somebody"; }},
      {"not issued by", [](Recipe& r) { r.wrong_issuer_key = true; }},
      {"key on P-256", [](Recipe& r) { r.leaf_curve = Curve::kP384; }},
      {"critical extension 1.2.3.4",
       [](Recipe& r) {
         r.leaf.extensions.push_back({.oid = "1.2.3.4", .critical = true, .value = {0x05, 0x00}});
       }},
      // OpenSSL knows it, but nothing here enforces it.
      {"critical extension 2.5.29.30",
       [](Recipe& r) {
         r.intermediate.extensions.push_back({.oid = "2.5.29.30", .critical = true, .value = {0x30, 0x00}});
       }},
  };
  for (const Case& test : cases) {
    Recipe recipe = sound_recipe();
    test.spoil(recipe);
    const auto chain = cook(recipe);
    const auto verdict = verify_certificate_chain(chain, chain.back(), Curve::kP256, 5000);
    ASSERT_FALSE(verdict) << test.expected;
    EXPECT_NE(verdict.error().message.find(test.expected), std::string::npos) << verdict.error().message;
  }
}

TEST(OwnChains, UnknownExtensionThatIsNotCriticalIsTolerated) {
  Recipe recipe = sound_recipe();
  recipe.leaf.extensions.push_back({.oid = "1.2.3.4", .critical = false, .value = {0x05, 0x00}});
  const auto chain = cook(recipe);
  EXPECT_TRUE(verify_certificate_chain(chain, chain.back(), Curve::kP256, 5000));
  EXPECT_EQ(chain[0].extension("1.2.3.4"), (Bytes{0x05, 0x00}));
  EXPECT_FALSE(chain[0].extension("1.2.3.5"));
  EXPECT_FALSE(chain[0].extension("not an oid"));
}

TEST(OwnChains, OrderAndNumberMatter) {
  const auto chain = cook(sound_recipe());
  const Certificate root = chain.back();
  const auto refused = [&](const std::vector<Certificate>& list) {
    return !verify_certificate_chain(list, root, Curve::kP256, 5000);
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({root}));
  EXPECT_TRUE(refused({chain[0], chain[2]}));
  EXPECT_TRUE(refused({chain[0], chain[1]}));
  EXPECT_TRUE(refused({chain[1], chain[0], chain[2]}));
  EXPECT_TRUE(refused({chain[0], chain[1], chain[2], chain[2]}));
  EXPECT_TRUE(refused({chain[0], chain[1], chain[1], chain[2]}));
}

TEST(OwnChains, AnyFlippedByteOfTheLeafIsRefused) {
  const auto chain = cook(sound_recipe());
  const Bytes good = chain[0].der();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    const auto leaf = Certificate::from_der(bad);
    if (!leaf) continue;
    EXPECT_FALSE(verify_certificate_chain({*leaf, chain[1], chain[2]}, chain[2], Curve::kP256, 5000)) << "byte " << i;
  }
}

}  // namespace
}  // namespace cloister::crypto
