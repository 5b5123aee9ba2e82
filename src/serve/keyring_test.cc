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
