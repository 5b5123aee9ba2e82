#include "verify/aci/custody_keys.h"

#include <gtest/gtest.h>

#include "verify/boot/boot_sample_testing.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

using testing::custody_of;
using testing::test_key;

const Bytes kAppId(20, 0x22);

evidence::Keyset keyset_of(std::uint8_t receipt, std::uint8_t e2ee) {
  evidence::Keyset keyset;
  keyset.receipt_signing_keys = {{"r", "x", to_hex(test_key(receipt).public_key())}};
  // In another spelling than the custody's.
  keyset.e2ee_public_keys = {{"e", "x", to_hex(crypto::compress_secp256k1(test_key(e2ee).public_key()))}};
  return keyset;
}

BootPolicy with_root() {
  BootPolicy policy;
  policy.kms_root_keys = {Bytes(33, 2)};
  return policy;
}

TEST(CustodyKeys, AreThoseInUse) {
  evidence::BootEvidence boot;
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), {}).state, State::kNotApplicable);
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), with_root()).state, State::kSkipped);
  boot.key_custody = {custody_of("receipt", kAppId, 3), custody_of("e2ee", kAppId, 4)};
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), {}).state, State::kPass);
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), with_root()).state, State::kPass);
  EXPECT_EQ(check_custody_keys(boot, keyset_of(5, 4), {}).state, State::kFail);
  boot.key_custody->pop_back();
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), {}).state, State::kPass);
  EXPECT_EQ(check_custody_keys(boot, keyset_of(3, 4), with_root()).state, State::kFail);
  EXPECT_NE(find_meaning("keyset.custody"), nullptr);
}

}  // namespace
}  // namespace cloister::verify
