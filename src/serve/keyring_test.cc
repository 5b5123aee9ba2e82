#include "serve/keyring.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tee/simulator/simulator.h"

namespace cloister::serve {
namespace {

using evidence::SigningAlgo;

std::unique_ptr<tee::Tee> simulator(std::uint8_t mark) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  auto made = tee::make_insecure_simulator(std::move(options));
  return made ? std::move(*made) : nullptr;
}

TEST(Keyring, KeysOfATeeSurviveARestartAndAreItsOwn) {
  auto first = Keyring::make(simulator(1).get());
  auto again = Keyring::make(simulator(1).get());
  auto other = Keyring::make(simulator(2).get());
  ASSERT_TRUE(first && again && other);
  for (SigningAlgo algo : {SigningAlgo::kEcdsa, SigningAlgo::kEd25519}) {
    EXPECT_EQ(first->signing_address(algo), again->signing_address(algo));
    EXPECT_NE(first->signing_address(algo), other->signing_address(algo));
  }
}

TEST(Keyring, WithoutATeeKeysAreRandom) {
  auto first = Keyring::make(nullptr);
  auto second = Keyring::make(nullptr);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->signing_address(SigningAlgo::kEcdsa), second->signing_address(SigningAlgo::kEcdsa));
}

// A TEE that cannot give keys, for this reason.
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
  auto first = Keyring::make(&bare);
  auto second = Keyring::make(&bare);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->signing_address(SigningAlgo::kEd25519), second->signing_address(SigningAlgo::kEd25519));
  // One that should have them and fails gets no substitute: addresses would change for no reason that anybody sees.
  for (const ErrorCode code : {ErrorCode::kTeeFailed, ErrorCode::kNoTee, ErrorCode::kTimeout}) {
    KeylessTee broken(code);
    EXPECT_EQ(Keyring::make(&broken).error().code, code);
  }
}

TEST(Keyring, SignaturesVerifyUnderTheAddressesItNames) {
  auto keyring = Keyring::make(nullptr);
  ASSERT_TRUE(keyring);
  auto signer = crypto::recover_eip191("text", keyring->sign_ecdsa("text"));
  ASSERT_TRUE(signer);
  EXPECT_EQ(crypto::eth_address_text(*signer), keyring->signing_address(SigningAlgo::kEcdsa));
  EXPECT_EQ(to_bytes(*signer), keyring->identity(SigningAlgo::kEcdsa));
  auto key = from_hex(keyring->signing_address(SigningAlgo::kEd25519));
  ASSERT_TRUE(key);
  EXPECT_TRUE(crypto::verify_ed25519(*key, as_bytes("text"), keyring->sign_ed25519("text")));
}

}  // namespace
}  // namespace cloister::serve
