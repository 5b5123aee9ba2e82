// What a node says of its keys, judged by the verifier. The two do not know each other, so this stands outside both.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/aci/keyset.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "identity/keyset_document.h"
#include "tee/dstack/dstack.h"
#include "tee/testing/tee_test_util.h"
#include "verify/aci/custody_keys.h"
#include "verify/aci/keyset_checks.h"
#include "verify/boot/custody.h"

namespace cloister::identity {
namespace {

TEST(NodeIdentity, TheKeysetIsOneThatTheVerifierTakes) {
  const auto tee = tee::testing::make_simulator();
  const auto keyring = Keyring::make(tee.get(), {});
  ASSERT_TRUE(keyring) << keyring.error().message;
  const FakeClock clock{1'814'400'100};
  const Identity identity(
      *keyring, clock,
      {.keyset_days = 30, .tls_spki_sha256 = ByteArray<32>{9}, .tls_key_origin = evidence::TlsKeyOrigin::kBorn});
  const auto epoch = identity.now();
  const auto keyset = evidence::parse_keyset(*codec::parse_json(epoch->keyset));
  ASSERT_TRUE(keyset) << keyset.error().message;
  verify::Verdict verdict;
  const verify::Policy policy;
  const verify::Collateral none;
  verify::check_keyset(*keyset, epoch->keyset_digest, {policy, none, clock.now()}, verdict);
  EXPECT_FALSE(verdict.checks.empty());
  for (const verify::Check& check : verdict.checks)
    EXPECT_EQ(check.state, verify::State::kPass) << check.id << check.detail;
}

class KeyringOnDstack : public tee::testing::FolderTest {};

TEST_F(KeyringOnDstack, TheVerifierTakesTheChainsOfCustody) {
  const std::string socket = (folder_ / "dstack.sock").string();
  const tee::testing::AgentProcess agent(socket);
  tee::DstackOptions options;
  options.socket = socket;
  const auto tee = tee::make_dstack(options);
  ASSERT_TRUE(tee) << tee.error().message;
  const auto keyring = Keyring::make(tee->get(), {});
  ASSERT_TRUE(keyring) << keyring.error().message;
  const auto app_id = from_hex((*tee)->info()->info["app_id"].get<std::string>());
  const auto chain = verify::check_key_custody(keyring->custody(), *app_id);
  EXPECT_TRUE(chain) << chain.error().message;
  evidence::BootEvidence boot;
  boot.key_custody = keyring->custody();
  const std::string document = keyset_document(*keyring, std::nullopt, evidence::TlsKeyOrigin::kGiven, 1);
  const auto keyset = evidence::parse_keyset(*codec::parse_json(document));
  ASSERT_TRUE(keyset) << keyset.error().message;
  EXPECT_EQ(verify::check_custody_keys(boot, *keyset, verify::RootKind::kVendor, nullptr, {}).state,
            verify::State::kSkipped)
      << "no root is named";
  verify::Policy policy;
  policy.boot.kms_root_keys = {Bytes(chain->root_key.begin(), chain->root_key.end())};
  const verify::Check check = verify::check_custody_keys(boot, *keyset, verify::RootKind::kVendor, nullptr, policy);
  EXPECT_EQ(check.state, verify::State::kPass) << check.detail;
}

}  // namespace
}  // namespace cloister::identity
