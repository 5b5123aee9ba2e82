#include "identity/policy.h"

#include <gtest/gtest.h>

#include "evidence/key_configuration.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "tee/simulator/simulator.h"

namespace cloister::identity {
namespace {

Json policy_document() {
  return {{"schema", "cloister.policy.v1"},
          {"engine", {{"kind", "echo"}}},
          {"logging", {{"content", "never"}, {"level", "info"}}},
          {"tee", "tdx"}};
}

std::unique_ptr<tee::Tee> simulator() {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, 3));
  return std::move(*tee::make_insecure_simulator(std::move(options)));
}

TEST(Policy, IsMeasuredBeforeItIsInForce) {
  const auto tee = simulator();
  const Json policy = policy_document();
  const Keyring keyring = std::move(*Keyring::make(tee.get(), *evidence::key_configuration_digest(policy)));
  const FakeClock clock(1'800'000'000);
  Identity identity(keyring, clock);
  bool measured_first = false;
  const auto digest = *evidence::document_digest(policy);
  const auto listener = identity.on_change([&] { measured_first = equal(tee->event_log()->back().payload, digest); });
  ASSERT_TRUE(enter_policy(policy, tee.get(), identity));
  EXPECT_TRUE(measured_first);
  EXPECT_EQ(tee->event_log()->back().name, evidence::kPolicyEvent);
  EXPECT_EQ(identity.now()->policy_digest, digest);
  // Without a TEE the document is measured nowhere, and is in force all the same.
  Json louder = policy;
  louder["logging"]["level"] = "debug";
  ASSERT_TRUE(enter_policy(louder, nullptr, identity));
  EXPECT_EQ(identity.now()->policy, louder);
  // The keys of this process belong to what decides who can read prompts.
  Json another = policy;
  another["engine"]["kind"] = "upstream";
  EXPECT_EQ(enter_policy(another, nullptr, identity).error().code, ErrorCode::kUsage);
  EXPECT_EQ(identity.now()->policy, louder);
}

// A TEE whose register fails.
class BrokenRegister : public tee::Tee {
 public:
  std::string_view type() const override { return inner_->type(); }
  Result<Bytes> quote(const evidence::ReportData& data) override { return inner_->quote(data); }
  Result<std::vector<evidence::Event>> event_log() override { return inner_->event_log(); }
  Result<tee::TeeInfo> info() override { return inner_->info(); }
  Result<SecretBytes> derive_key(std::string_view label) override { return inner_->derive_key(label); }
  Result<void> extend_event(std::string_view, ByteView) override { return fail(ErrorCode::kTeeFailed, "broken"); }

 private:
  std::unique_ptr<tee::Tee> inner_ = simulator();
};

TEST(Policy, WhatCannotBeMeasuredIsNotInForce) {
  BrokenRegister tee;
  const Keyring keyring = std::move(*Keyring::make(nullptr, *evidence::key_configuration_digest(policy_document())));
  const FakeClock clock(1'800'000'000);
  Identity identity(keyring, clock);
  const auto before = identity.now();
  EXPECT_EQ(enter_policy(policy_document(), &tee, identity).error().code, ErrorCode::kTeeFailed);
  EXPECT_EQ(identity.now(), before);
}

}  // namespace
}  // namespace cloister::identity
