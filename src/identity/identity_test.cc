#include "identity/identity.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/result_testing.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "tee/simulator/simulator.h"

namespace cloister::identity {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kPeriod = 15 * kDay;
constexpr UnixSeconds kBegin = 1400 * kPeriod;  // beginning of a period

Keyring keyring(std::uint8_t mark = 1) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  const auto tee = tee::make_insecure_simulator(std::move(options));
  return std::move(*Keyring::make(tee->get(), {}));
}

class IdentityTest : public ::testing::Test {
 protected:
  Keyring keyring_ = keyring();
  FakeClock clock_{kBegin + 100};
};

TEST_F(IdentityTest, TheKeysetNamesAllKeys) {
  const ByteArray<32> tls{9};
  const Identity identity(keyring_, clock_,
                          {.keyset_days = 30, .tls_spki_sha256 = tls, .tls_key_origin = evidence::TlsKeyOrigin::kBorn});
  const auto epoch = identity.now();
  const auto keyset = evidence::parse_keyset(*codec::parse_json(epoch->keyset));
  ASSERT_TRUE(keyset) << keyset.error().message;
  EXPECT_EQ(keyset->digest, epoch->keyset_digest);
  EXPECT_EQ(epoch->keyset_digest, crypto::sha256(as_bytes(epoch->keyset)));
  EXPECT_EQ(epoch->keyset_digest_text, evidence::digest_text(epoch->keyset_digest));
  EXPECT_EQ(keyset->not_after, epoch->not_after);
  EXPECT_EQ(keyset->receipt_signing_keys.at(0).key_id, epoch->receipt_key_id);
  EXPECT_EQ(keyset->receipt_signing_keys.at(0).algo, "ed25519");
  EXPECT_EQ(keyset->e2ee_public_keys.size(), 3u) << "two keys and a mark";
  EXPECT_EQ(keyset->tls_public_keys.at(0).spki_sha256, tls);
  EXPECT_EQ(keyset->tls_key_origin(tls), evidence::TlsKeyOrigin::kBorn);
  EXPECT_EQ(keyset->tls_key_origin({}), evidence::TlsKeyOrigin::kUnknown);
  const auto addresses = keyset->legacy_addresses();
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_EQ(addresses[0], keyring_.signing_address(evidence::SigningAlgo::kEcdsa));
  EXPECT_EQ(addresses[1], keyring_.signing_address(evidence::SigningAlgo::kEd25519));
}

TEST_F(IdentityTest, AGivenTlsKeyIsMarkedAndNotListed) {
  const ByteArray<32> tls{9};
  const Identity identity(keyring_, clock_, {.keyset_days = 30, .tls_spki_sha256 = tls});
  const auto keyset = evidence::parse_keyset(*codec::parse_json(identity.now()->keyset));
  ASSERT_TRUE(keyset);
  EXPECT_TRUE(keyset->tls_public_keys.empty());
  EXPECT_EQ(keyset->tls_key_origin(tls), evidence::TlsKeyOrigin::kGiven);
  EXPECT_TRUE(keyset->has_given_tls_key());
}

TEST_F(IdentityTest, TheKeysetIsTheSameForReplicasAndAfterARestartWithinAPeriod) {
  const Identity first(keyring_, clock_);
  const std::string before = first.now()->keyset_digest_text;
  clock_.advance(14 * kDay);
  const Keyring same = keyring();
  EXPECT_EQ(Identity(same, clock_).now()->keyset_digest_text, before);
  const Keyring other = keyring(2);
  EXPECT_NE(Identity(other, clock_).now()->keyset_digest_text, before);
}

TEST_F(IdentityTest, AnotherTlsKeyIsAnotherKeysetAndTheSameKeyIsNot) {
  const ByteArray<32> one{1}, two{2};
  Identity identity(keyring_, clock_,
                    {.keyset_days = 30, .tls_spki_sha256 = one, .tls_key_origin = evidence::TlsKeyOrigin::kBorn});
  int changes = 0;
  const auto listener = identity.on_change([&] { ++changes; });
  const auto first = identity.now();
  EXPECT_EQ(first->tls_spki_sha256, one);
  identity.set_tls_key(one);
  EXPECT_EQ(identity.now(), first);
  identity.set_tls_key(two);
  const auto second = identity.now();
  EXPECT_EQ(second->tls_spki_sha256, two);
  EXPECT_EQ(second->number, first->number + 1);
  EXPECT_EQ(second->not_after, first->not_after) << "the date alone says how long it is good";
  EXPECT_EQ(evidence::parse_keyset(*codec::parse_json(second->keyset))->tls_public_keys.at(0).spki_sha256, two);
  EXPECT_EQ(identity.former_keyset(first->keyset_digest_text), first->keyset);
  EXPECT_EQ(changes, 1);
}

TEST_F(IdentityTest, TheNextKeysetIsUsedWhileTheFormerIsStillGood) {
  const Identity identity(keyring_, clock_);
  const auto first = identity.now();
  EXPECT_EQ(first->not_after, kBegin + 2 * kPeriod);
  clock_.set(kBegin + kPeriod - 1);
  EXPECT_EQ(identity.now(), first);
  clock_.set(kBegin + kPeriod);
  const auto second = identity.now();
  EXPECT_NE(second->keyset_digest, first->keyset_digest);
  EXPECT_EQ(second->not_after, kBegin + 3 * kPeriod);
  EXPECT_EQ(second->number, first->number + 1);
  // A client that still uses the first keyset gets all of it, and that keyset is valid for as long as any request may take.
  EXPECT_EQ(first->keyset_digest, crypto::sha256(as_bytes(first->keyset)));
  EXPECT_EQ(first->not_after - clock_.now(), kPeriod);
  EXPECT_EQ(identity.former_keyset(first->keyset_digest_text), first->keyset);
  EXPECT_EQ(identity.former_keyset(second->keyset_digest_text), second->keyset);
}

TEST_F(IdentityTest, AKeysetIsNeverOutOfDateNorGoodForLongerThanItsLifetime) {
  for (const int days : {1, 2, 7, 30, 365}) {
    clock_.set(kBegin + 100);
    const Identity identity(keyring_, clock_, {.keyset_days = days, .tls_spki_sha256 = {}});
    for (int step = 0; step < 400; ++step) {
      const UnixSeconds left = identity.now()->not_after - clock_.now();
      EXPECT_GT(left, days * kDay / 2 - 1) << days;
      EXPECT_LE(left, days * kDay) << days;
      clock_.advance(days * kDay / 13 + 1);
    }
  }
}

// A clock that is corrected by some seconds at the border of a period must not bring back the former keyset.
TEST_F(IdentityTest, AClockThatIsSetBackALittleKeepsTheNewerKeyset) {
  const Identity identity(keyring_, clock_);
  clock_.set(kBegin + kPeriod);
  const auto second = identity.now();
  clock_.set(kBegin + kPeriod - 5);
  EXPECT_EQ(identity.now(), second);
  clock_.set(kBegin);
  EXPECT_EQ(identity.now(), second);
  clock_.set(kBegin + kPeriod + 5);
  EXPECT_EQ(identity.now(), second);
}

// A clock that was far ahead by mistake made a keyset that nobody accepts: the keyset is dropped with the mistake.
TEST_F(IdentityTest, AClockThatWasFarAheadLeavesNothingBehind) {
  const Identity identity(keyring_, clock_);
  const auto right = identity.now();
  clock_.set(kBegin + 500 * kPeriod);
  const auto wrong = identity.now();
  EXPECT_EQ(wrong->not_after, kBegin + 502 * kPeriod);
  clock_.set(kBegin + 200);
  const auto again = identity.now();
  EXPECT_EQ(again->keyset_digest, right->keyset_digest);
  EXPECT_GT(again->number, wrong->number);
  clock_.set(-5);
  EXPECT_EQ(identity.now()->not_after, 2 * kPeriod) << "before 1970";
}

TEST_F(IdentityTest, ModelAndPolicyMakeEpochsWhenTheyChange) {
  Identity identity(keyring_, clock_);
  const auto bare = identity.now();
  EXPECT_FALSE(bare->model_digest);
  EXPECT_TRUE(bare->policy.is_null());
  const Json policy = {{"schema", "x"}, {"a", 1}};
  ASSERT_TRUE(identity.set_policy(policy));
  const auto with_policy = identity.now();
  EXPECT_EQ(with_policy->policy_digest, *evidence::document_digest(policy));
  EXPECT_EQ(with_policy->policy, policy);
  EXPECT_EQ(with_policy->keyset_digest, bare->keyset_digest);
  ASSERT_TRUE(identity.set_policy(policy));
  EXPECT_EQ(identity.now(), with_policy) << "the same again is no change";
  ASSERT_TRUE(identity.set_model(std::make_shared<const Json>(Json{{"weights", "w"}})));
  const auto whole = identity.now();
  EXPECT_EQ(whole->model_digest, *evidence::document_digest({{"weights", "w"}}));
  EXPECT_EQ(whole->policy_digest, with_policy->policy_digest);
  EXPECT_EQ(whole->number, 3u);
  const std::string digest = evidence::digest_text(*whole->policy_digest);
  ASSERT_TRUE(identity.set_policy({{"schema", "x"}, {"a", 2}}));
  EXPECT_EQ(identity.former_policy(digest), R"({"a":1,"schema":"x"})");
  EXPECT_FALSE(identity.former_policy("sha256:"));
  // The model is removed, the rest stays.
  ASSERT_TRUE(identity.set_model(nullptr));
  EXPECT_FALSE(identity.now()->model_digest);
}

TEST_F(IdentityTest, WhatHasNoCanonicalFormChangesNothing) {
  Identity identity(keyring_, clock_);
  const auto before = identity.now();
  EXPECT_REFUSED(identity.set_policy({{"n", 9007199254740993}}),
                 "no canonical form (RFC 8785): an integer of more than 53 bits");
  EXPECT_REFUSED(identity.set_model(std::make_shared<const Json>(Json{{"text", "\xff"}})),
                 "no canonical form (RFC 8785): text that is not UTF-8");
  EXPECT_EQ(identity.now(), before);
}

TEST_F(IdentityTest, ListenersHearOfEveryChangeUntilTheyGo) {
  Identity identity(keyring_, clock_);
  int heard = 0;
  std::uint64_t seen = 0;
  auto listener = identity.on_change([&] {
    ++heard;
    seen = identity.now()->number;
  });
  ASSERT_TRUE(identity.set_policy({{"a", 1}}));
  clock_.advance(kPeriod);
  const auto next = identity.now();
  EXPECT_EQ(heard, 2);
  EXPECT_EQ(seen, next->number);
  listener.reset();
  ASSERT_TRUE(identity.set_policy({{"a", 2}}));
  EXPECT_EQ(heard, 2);
}

TEST_F(IdentityTest, ManyThreadsSeeWholeEpochs) {
  Identity identity(keyring_, clock_);
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  const auto listener = identity.on_change([&] { static_cast<void>(identity.now()); });
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!stop) {
        const auto epoch = identity.now();
        torn += epoch->number < last || (epoch->policy_digest && epoch->policy.at("a") != epoch->number - 2);
        last = epoch->number;
      }
    });
  }
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(identity.set_policy({{"a", i}}));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(identity.now()->number, 301u);
}

TEST(DocumentHistory, KeepsTheNewestAndForgetsTheOldest) {
  DocumentHistory history;
  for (int i = 0; i < 100; ++i) history.add("d" + std::to_string(i), "t" + std::to_string(i));
  EXPECT_EQ(history.find("d99"), "t99");
  EXPECT_EQ(history.find("d36"), "t36");
  EXPECT_FALSE(history.find("d35"));
}

}  // namespace
}  // namespace cloister::identity
