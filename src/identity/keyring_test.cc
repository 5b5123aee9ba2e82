#include "identity/keyring.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/aci/keyset.h"
#include "identity/keyset_document.h"
#include "tee/dstack/dstack.h"
#include "tee/simulator/simulator.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::identity {
namespace {

using evidence::SigningAlgo;

std::unique_ptr<tee::Tee> simulator(std::uint8_t mark) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  auto made = tee::make_insecure_simulator(std::move(options));
  return made ? std::move(*made) : nullptr;
}

const std::string kNoConfiguration(64, '0');

// Every public half, as hex.
std::vector<std::string> public_keys(const Keyring& keyring) {
  return {keyring.signing_public_key(SigningAlgo::kEcdsa),
          keyring.signing_public_key(SigningAlgo::kEd25519),
          to_hex(keyring.receipt_public_key()),
          to_hex(keyring.e2ee_x25519_public_key()),
          to_hex(keyring.e2ee_secp256k1_public_key()),
          to_hex(keyring.tls_key()->public_point())};
}

TEST(Keyring, KeysOfATeeSurviveARestartAndAreItsOwn) {
  auto first = Keyring::make(simulator(1).get(), {});
  auto again = Keyring::make(simulator(1).get(), {});
  auto other = Keyring::make(simulator(2).get(), {});
  ASSERT_TRUE(first && again && other);
  for (SigningAlgo algo : {SigningAlgo::kEcdsa, SigningAlgo::kEd25519}) {
    EXPECT_EQ(first->signing_address(algo), again->signing_address(algo));
    EXPECT_NE(first->signing_address(algo), other->signing_address(algo));
  }
}

// What was verified for one configuration must not hold for another one.
TEST(Keyring, AnotherConfigurationHasOtherKeysAndTheSameStore) {
  ByteArray<32> configuration{};
  configuration.fill(9);
  const auto first = Keyring::make(simulator(1).get(), {});
  const auto other = Keyring::make(simulator(1).get(), configuration);
  ASSERT_TRUE(first && other);
  EXPECT_EQ(other->configuration(), configuration);
  const std::vector<std::string> keys = public_keys(*first), others = public_keys(*other);
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_NE(keys[i], others[i]) << i;
  EXPECT_EQ(first->store_keys()->newest(), other->store_keys()->newest());
}

TEST(Keyring, WithoutATeeKeysAreRandom) {
  auto first = Keyring::make(nullptr, {});
  auto second = Keyring::make(nullptr, {});
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->signing_address(SigningAlgo::kEcdsa), second->signing_address(SigningAlgo::kEcdsa));
}

// A TEE that cannot give keys, with this error.
class KeylessTee : public tee::Tee {
 public:
  explicit KeylessTee(ErrorCode code) : code_(code) {}
  std::string_view type() const override { return inner_->type(); }
  Result<Bytes> quote(const evidence::ReportData& data) override { return inner_->quote(data); }
  Result<std::vector<evidence::Event>> event_log() override { return inner_->event_log(); }
  Result<tee::TeeInfo> info() override { return inner_->info(); }
  Result<SecretBytes> derive_key(std::string_view) override { return fail(code_, "no key"); }

 private:
  ErrorCode code_;
  std::unique_ptr<tee::Tee> inner_ = simulator(1);
};

TEST(Keyring, WhereTheTeeHasNoKeysTheyAreRandomAndOnlyThere) {
  KeylessTee bare(ErrorCode::kUnsupported);
  auto first = Keyring::make(&bare, {});
  auto second = Keyring::make(&bare, {});
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->signing_address(SigningAlgo::kEd25519), second->signing_address(SigningAlgo::kEd25519));
  // A TEE that should have keys and fails gets no substitute: otherwise addresses would change for no visible reason.
  for (const ErrorCode code : {ErrorCode::kTeeFailed, ErrorCode::kNoTee, ErrorCode::kTimeout}) {
    KeylessTee broken(code);
    EXPECT_EQ(Keyring::make(&broken, {}).error().code, code);
  }
}

TEST(Keyring, OneKeyOneRole) {
  for (tee::Tee* tee : {simulator(1).release(), static_cast<tee::Tee*>(nullptr)}) {
    const std::unique_ptr<tee::Tee> owned(tee);
    const auto keys = public_keys(*Keyring::make(tee, {}));
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  }
}

TEST(Keyring, EveryKeyOfATeeSurvivesARestart) {
  EXPECT_EQ(public_keys(*Keyring::make(simulator(1).get(), {})), public_keys(*Keyring::make(simulator(1).get(), {})));
  const auto mine = public_keys(*Keyring::make(simulator(1).get(), {})),
             others = public_keys(*Keyring::make(simulator(2).get(), {}));
  for (std::size_t i = 0; i < mine.size(); ++i) EXPECT_NE(mine[i], others[i]);
}

// People have written these addresses down: a changed label would change them.
TEST(Keyring, TheLegacyAddressesAreWhatTheyAlwaysWere) {
  const auto keyring = Keyring::make(simulator(1).get(), {});
  const auto secret = simulator(1)->derive_key("cloister/v2/signing-key/ecdsa/" + kNoConfiguration);
  EXPECT_EQ(keyring->signing_public_key(SigningAlgo::kEcdsa),
            to_hex(crypto::Secp256k1Key::from_secret(secret->expose())->public_key()));
  const auto seed = simulator(1)->derive_key("cloister/v2/signing-key/ed25519/" + kNoConfiguration);
  EXPECT_EQ(keyring->signing_public_key(SigningAlgo::kEd25519),
            to_hex(crypto::Ed25519Key::from_seed(seed->expose())->public_key()));
}

TEST(Keyring, WithoutAKmsThereIsNoCustody) {
  EXPECT_TRUE(Keyring::make(nullptr, {})->custody().empty());
  EXPECT_TRUE(Keyring::make(simulator(1).get(), {})->custody().empty());
}

class KeyringOnDstack : public tee::testing::FolderTest {};

TEST_F(KeyringOnDstack, EveryKeyOfTheKeysetHasAChainOfCustodyOfItsOwn) {
  const std::string socket = (folder_ / "dstack.sock").string();
  const tee::testing::AgentProcess agent(socket);
  tee::DstackOptions options;
  options.socket = socket;
  const auto tee = tee::make_dstack(options);
  ASSERT_TRUE(tee) << tee.error().message;
  const auto keyring = Keyring::make(tee->get(), {});
  ASSERT_TRUE(keyring) << keyring.error().message;
  ASSERT_EQ(keyring->custody().size(), 5u);
  // ACI's gateways look for this one by name.
  EXPECT_EQ(keyring->custody()[0].role, "receipt");
  EXPECT_EQ(keyring->custody()[0].purpose, "aci.receipt.ed25519.v1");
  EXPECT_EQ(keyring->custody()[0].public_key, to_hex(keyring->receipt_public_key()));
}

TEST(Keyring, SignaturesVerifyUnderTheAddressesItNames) {
  auto keyring = Keyring::make(nullptr, {});
  ASSERT_TRUE(keyring);
  auto signer = crypto::recover_eip191("text", keyring->sign_ecdsa("text"));
  ASSERT_TRUE(signer);
  EXPECT_EQ(crypto::eth_address_text(*signer), keyring->signing_address(SigningAlgo::kEcdsa));
  EXPECT_EQ(to_bytes(*signer), keyring->identity(SigningAlgo::kEcdsa));
  auto key = from_hex(keyring->signing_address(SigningAlgo::kEd25519));
  ASSERT_TRUE(key);
  EXPECT_TRUE(crypto::verify_ed25519(*key, as_bytes("text"), keyring->sign_ed25519("text")));
}

TEST(Keyring, KeysOfTheStoreAreTheTees) {
  const auto first = Keyring::make(simulator(1).get(), {}), again = Keyring::make(simulator(1).get(), {}),
             other = Keyring::make(simulator(2).get(), {});
  EXPECT_TRUE(first->store_keys()->lasts());
  EXPECT_EQ(first->store_keys()->newest(), again->store_keys()->newest());
  EXPECT_EQ(first->store_keys()->reply_secret("rcpt-1"), again->store_keys()->reply_secret("rcpt-1"));
  EXPECT_NE(first->store_keys()->newest(), other->store_keys()->newest());
  const auto second_epoch = Keyring::make(simulator(1).get(), {}, 2);
  EXPECT_NE(second_epoch->store_keys()->newest(), first->store_keys()->newest());
  EXPECT_TRUE(second_epoch->store_keys()->has(first->store_keys()->newest()));
  EXPECT_FALSE(Keyring::make(nullptr, {})->store_keys()->lasts());
  EXPECT_EQ(Keyring::make(nullptr, {}, 17).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cloister::identity
