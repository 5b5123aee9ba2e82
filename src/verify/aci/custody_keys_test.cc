#include "verify/aci/custody_keys.h"

#include <gtest/gtest.h>

#include "verify/boot/boot_sample_testing.h"
#include "verify/check.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

using testing::custody_of;
using testing::test_key;

const Bytes kAppId(20, 0x22);

evidence::Keyset keyset_of(std::uint8_t receipt, std::uint8_t e2ee) {
  evidence::Keyset keyset;
  keyset.receipt_signing_keys = {{"r", "x", to_hex(test_key(receipt).public_key())}};
  // In another spelling than in the custody.
  keyset.e2ee_public_keys = {{"e", "x", to_hex(crypto::compress_secp256k1(test_key(e2ee).public_key()))}};
  return keyset;
}

Policy with_root() {
  Policy policy;
  policy.boot.kms_root_keys = {Bytes(33, 2)};
  return policy;
}

Policy without_custody() {
  Policy policy;
  policy.service.accept_unproven_custody = true;
  return policy;
}

State judge(const evidence::BootEvidence& boot, const evidence::Keyset& keyset, const Policy& policy) {
  EXPECT_NE(find_meaning("keyset.custody"), nullptr);
  return check_custody_keys(boot, keyset, RootKind::kVendor, nullptr, policy).state;
}

TEST(CustodyKeys, AreThoseInUse) {
  evidence::BootEvidence boot;
  boot.key_custody = {custody_of("receipt", kAppId, 3), custody_of("e2ee", kAppId, 4)};
  EXPECT_EQ(judge(boot, keyset_of(3, 4), with_root()), State::kPass);
  EXPECT_EQ(judge(boot, keyset_of(3, 4), without_custody()), State::kPass);
  for (const Policy& policy : {Policy{}, with_root(), without_custody()}) {
    EXPECT_EQ(judge(boot, keyset_of(5, 4), policy), State::kFail);
    EXPECT_EQ(judge(boot, keyset_of(4, 3), policy), State::kFail) << "each in the other's role";
  }
  boot.key_custody->pop_back();
  EXPECT_EQ(judge(boot, keyset_of(3, 4), without_custody()), State::kPass);
  EXPECT_EQ(judge(boot, keyset_of(3, 4), with_root()), State::kFail);
  EXPECT_EQ(judge(boot, keyset_of(3, 4), {}), State::kFail);
}

// The chains come with the report: under a root that nobody named they are only the report's own statement.
TEST(CustodyKeys, ChainsToARootThatThePolicyDoesNotNameProveNothing) {
  evidence::BootEvidence boot;
  boot.key_custody = {custody_of("receipt", kAppId, 3), custody_of("e2ee", kAppId, 4)};
  const Check check = check_custody_keys(boot, keyset_of(3, 4), RootKind::kVendor, nullptr, {});
  EXPECT_EQ(check.state, State::kSkipped);
  EXPECT_TRUE(check.required);
  const Check good = passed("boot.kms_custody");
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), RootKind::kVendor, &good, {}).state, State::kSkipped)
      << "of real hardware no chain counts";
}

// Another seed's keys in front of a simulated machine: the chains are well-formed and lead elsewhere.
TEST(CustodyKeys, OfASimulatedMachineLeadToTheKeyProviderThatItMeasured) {
  evidence::BootEvidence boot;
  boot.key_custody = {custody_of("receipt", kAppId, 3), custody_of("e2ee", kAppId, 4)};
  const Check good = passed("boot.kms_custody"), bad = failed("boot.kms_custody", "another root"),
              none = not_applicable("boot.kms_custody", "no log");
  const auto judged = [&](const Check* chains) {
    return check_custody_keys(boot, keyset_of(3, 4), RootKind::kInsecureSimulator, chains, {});
  };
  EXPECT_EQ(judged(&good).state, State::kPass);
  for (const Check* chains : {&bad, &none, static_cast<const Check*>(nullptr)}) {
    EXPECT_EQ(judged(chains).state, State::kSkipped);
    EXPECT_TRUE(judged(chains).required);
  }
}

// The known fault of a verifier: it ends with "verified" although it skipped custody.
TEST(CustodyKeys, W34WithoutChainsItIsSkippedAndRequired) {
  const evidence::BootEvidence boot;
  const evidence::Keyset keyset = keyset_of(3, 4);
  for (const Policy& policy : {Policy{}, with_root()}) {
    EXPECT_EQ(judge(boot, keyset, policy), State::kSkipped);
    EXPECT_TRUE(check_custody_keys(boot, keyset, RootKind::kVendor, nullptr, policy).required);
  }
  EXPECT_EQ(judge(boot, keyset, without_custody()), State::kSkipped);
  EXPECT_FALSE(check_custody_keys(boot, keyset, RootKind::kVendor, nullptr, without_custody()).required);
  EXPECT_EQ(check_custody_keys(boot, keyset, RootKind::kInsecureSimulator, nullptr, {}).state, State::kNotApplicable);
}

}  // namespace
}  // namespace cloister::verify
