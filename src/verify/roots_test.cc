#include "verify/roots.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "crypto/hash.h"
#include "evidence/simulator_roots.h"

namespace cloister::verify {
namespace {

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

TEST(Roots, VendorRootsAreTheOnesPublished) {
  const crypto::Certificate* intel = pinned_root(RootUse::kCpu, RootKind::kVendor);
  ASSERT_NE(intel, nullptr);
  EXPECT_EQ(to_hex(crypto::sha256(intel->der())), "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
  EXPECT_EQ(intel->subject_common_name(), "Intel SGX Root CA");
  const crypto::Certificate* nvidia = pinned_root(RootUse::kGpu, RootKind::kVendor);
  ASSERT_NE(nvidia, nullptr);
  EXPECT_EQ(to_hex(crypto::sha256(nvidia->der())), "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48");
  EXPECT_EQ(nvidia->subject_common_name(), "NVIDIA Device Identity CA");
  const crypto::Certificate* rim = pinned_root(RootUse::kRim, RootKind::kVendor);
  ASSERT_NE(rim, nullptr);
  EXPECT_EQ(to_hex(crypto::sha256(rim->der())), "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1");
  EXPECT_EQ(rim->subject_common_name(), "NVIDIA CoRIM signing Root CA");
  EXPECT_EQ(pinned_root(RootUse::kRim, RootKind::kInsecureSimulator), nullptr);
}

TEST(Roots, AgreeWithTheRecordedOnes) {
  EXPECT_EQ(pinned_root(RootUse::kCpu, RootKind::kVendor)->der(), testing::vector_bytes("tdx/intel_sgx_root_ca.der"));
  auto nvidia = crypto::parse_pem_chain(testing::vector_bytes("nvidia/roots/device_root.pem"));
  ASSERT_TRUE(nvidia);
  EXPECT_EQ(pinned_root(RootUse::kGpu, RootKind::kVendor)->der(), nvidia->front().der());
  auto rim = crypto::parse_pem_chain(testing::vector_bytes("nvidia/roots/rim_root.pem"));
  ASSERT_TRUE(rim);
  EXPECT_EQ(pinned_root(RootUse::kRim, RootKind::kVendor)->der(), rim->front().der());
}

TEST(Roots, SwitchesHaveThatOfGpus) {
  const auto nvswitch = crypto::parse_pem_chain(testing::vector_bytes("nvidia/roots/nvswitch_device_root.pem"));
  ASSERT_TRUE(nvswitch);
  EXPECT_EQ(nvswitch->front().der(), pinned_root(RootUse::kGpu, RootKind::kVendor)->der());
}

struct SimulatedRoot {
  RootUse use;
  crypto::Curve curve;
  Result<crypto::EcKey> (*key)();
  std::string_view name;
};

class SimulatedRoots : public ::testing::TestWithParam<SimulatedRoot> {};

TEST_P(SimulatedRoots, SayWhatTheyAreAndBelongToThePublicKey) {
  const SimulatedRoot& root = GetParam();
  const crypto::Certificate* certificate = pinned_root(root.use, RootKind::kInsecureSimulator);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(certificate->subject_common_name(), root.name);
  EXPECT_TRUE(certificate->subject_common_name().starts_with(evidence::kSimulatorCommonNamePrefix));
  auto key = root.key();
  ASSERT_TRUE(key);
  EXPECT_EQ(*certificate->ec_public_point(), key->public_point());
  EXPECT_TRUE(certificate->is_ca());
  EXPECT_LE(certificate->not_before(), kTime);
  // The root can end a chain: a leaf under it verifies.
  crypto::CertificateSpec spec;
  spec.subject_common_name = "leaf";
  spec.issuer_common_name = root.name;
  spec.not_before = kTime - 1;
  spec.not_after = kTime + 1;
  spec.serial = {1};
  auto leaf = crypto::issue_certificate(spec, *key, *key);
  ASSERT_TRUE(leaf) << leaf.error().message;
  auto valid = crypto::verify_certificate_chain({*leaf, *certificate}, *certificate, root.curve, kTime);
  EXPECT_TRUE(valid) << valid.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Both, SimulatedRoots,
    ::testing::Values(SimulatedRoot{RootUse::kCpu, crypto::Curve::kP256, evidence::simulator_cpu_root_key,
                                    "INSECURE SIMULATOR SGX Root CA (proves nothing)"},
                      SimulatedRoot{RootUse::kGpu, crypto::Curve::kP384, evidence::simulator_gpu_root_key,
                                    "INSECURE SIMULATOR NVIDIA Device Identity CA (proves nothing)"}));

TEST(Roots, AClaimIsByteForByteAndForOneUse) {
  const crypto::Certificate intel = *pinned_root(RootUse::kCpu, RootKind::kVendor);
  const crypto::Certificate simulated = *pinned_root(RootUse::kCpu, RootKind::kInsecureSimulator);
  EXPECT_EQ(claimed_root(RootUse::kCpu, {intel}), RootKind::kVendor);
  EXPECT_EQ(claimed_root(RootUse::kCpu, {intel, simulated}), RootKind::kInsecureSimulator);
  EXPECT_EQ(claimed_root(RootUse::kGpu, {intel}), RootKind::kUnknown);
  EXPECT_EQ(claimed_root(RootUse::kCpu, {}), RootKind::kUnknown);
  EXPECT_EQ(pinned_root(RootUse::kCpu, RootKind::kUnknown), nullptr);
}

}  // namespace
}  // namespace cloister::verify
