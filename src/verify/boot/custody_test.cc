#include "verify/boot/custody.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "verify/boot/boot_sample_testing.h"

namespace cloister::verify {
namespace {

using namespace testing;

const Bytes kAppId(20, 0x22);

TEST(KmsCustody, TheChainLeadsToApplicationAndRoot) {
  const auto chain = recover_kms_chain(custody_of("receipt", kAppId, 3), kAppId);
  ASSERT_TRUE(chain) << chain.error().message;
  EXPECT_EQ(chain->app_key, crypto::compress_secp256k1(test_key(2).public_key()));
  EXPECT_EQ(chain->root_key, crypto::compress_secp256k1(test_key(1).public_key()));
}

TEST(KmsCustody, EveryPartOfTheMessagesCounts) {
  const auto root = crypto::compress_secp256k1(test_key(1).public_key());
  const evidence::KeyCustody genuine = custody_of("receipt", kAppId, 3);
  const auto leads_to_root = [&](const evidence::KeyCustody& key, ByteView app_id) {
    const auto chain = recover_kms_chain(key, app_id);
    return chain && chain->root_key == root;
  };
  EXPECT_TRUE(leads_to_root(genuine, kAppId));
  EXPECT_FALSE(leads_to_root(genuine, Bytes(20, 0x23)));
  evidence::KeyCustody changed = genuine;
  changed.purpose += "x";
  EXPECT_FALSE(leads_to_root(changed, kAppId));
  changed = genuine;
  changed.kms_public_key = changed.public_key = to_hex(test_key(5).public_key());
  EXPECT_FALSE(leads_to_root(changed, kAppId));
  for (std::size_t i = 0; i < 2; ++i) {
    changed = genuine;
    std::string& signature = changed.signature_chain[i];
    signature[10] = signature[10] == '0' ? '1' : '0';
    EXPECT_FALSE(leads_to_root(changed, kAppId)) << i;
  }
  changed = genuine;
  std::swap(changed.signature_chain[0], changed.signature_chain[1]);
  EXPECT_FALSE(leads_to_root(changed, kAppId));
}

TEST(KmsCustody, SpellingsOfTheDerivedKey) {
  const evidence::KeyCustody genuine = custody_of("receipt", kAppId, 3);
  const auto point = test_key(3).public_key();
  for (const std::string& spelling : {to_hex(point), "04" + to_hex(point)}) {
    evidence::KeyCustody key = genuine;
    key.kms_public_key = spelling;
    EXPECT_TRUE(recover_kms_chain(key, kAppId)) << spelling;
  }
  for (const char* wrong : {"", "zz", "00", "05"}) {
    evidence::KeyCustody key = genuine;
    key.kms_public_key = wrong;
    EXPECT_FALSE(recover_kms_chain(key, kAppId)) << wrong;
  }
}

TEST(KmsCustody, TheRolesOwnKeyIsTheOneInTheChain) {
  evidence::KeyCustody key = custody_of("e2ee", kAppId, 3);
  key.public_key = to_hex(test_key(4).public_key());
  EXPECT_REFUSED(
      recover_kms_chain(key, kAppId),
      "key of the role e2ee: the chain is about 02531fe6068134503d2723133227c867ac8fa6c83c537e9a44c3c5bdbdcb1fe337, not about 03462779ad4aad39514614751a71085f2f10e1c7a593e4e030efb5b8721ce55b0b");
  // A key of another kind is made of the same secret, which only the measured code vouches for.
  key.algo = "ed25519";
  key.public_key = std::string(64, 'a');
  EXPECT_TRUE(recover_kms_chain(key, kAppId));
  // A KMS that derives Ed25519 keys itself names that key in the chain.
  key.kms_public_key = std::string(64, 'b');
  EXPECT_REFUSED(
      recover_kms_chain(key, kAppId),
      "key of the role e2ee: the chain is about bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, not about aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST(KmsCustody, AllRolesUnderOneRootEachWithAPathOfItsOwn) {
  const std::vector<evidence::KeyCustody> good = {custody_of("a", kAppId, 3), custody_of("b", kAppId, 4)};
  EXPECT_TRUE(check_key_custody(good, kAppId));
  EXPECT_REFUSED(check_key_custody({}, kAppId), "no key is listed");
  auto same_role = good;
  same_role[1].role = "a";
  EXPECT_REFUSED(check_key_custody(same_role, kAppId), "key of the role a: listed twice");
  auto same_path = good;
  same_path[1].path = same_path[0].path;
  EXPECT_REFUSED(check_key_custody(same_path, kAppId),
                 "key of the role b: shares its derivation path, and so its secret, with another role");
  auto other_app = good;
  other_app[1] = custody_of("b", Bytes(20, 0x23), 4);
  EXPECT_REFUSED(check_key_custody(other_app, kAppId),
                 "key of the role b: its chain leads to another application key or root than that of the role a");
  auto short_chain = good;
  short_chain[0].signature_chain.pop_back();
  EXPECT_REFUSED(check_key_custody(short_chain, kAppId), "key of the role a: expected 2 signatures");
}

}  // namespace
}  // namespace cloister::verify
