#include "identity/policy_document.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/file.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/key_configuration.h"
#include "evidence/native_report.h"
#include "identity/executable_digest.h"
#include "identity/measured_event.h"
#include "tee/simulator/simulator.h"

namespace cloister::identity {
namespace {

PolicyFacts facts() {
  PolicyFacts out;
  out.version = "1.2.3";
  out.listen_address = "127.0.0.1";
  out.listen_port = 8080;
  out.engine = "echo";
  out.tee = "tdx";
  out.reports_per_client_minute = 60;
  out.reports_at_once = 0.5;
  out.keyset_days = 30;
  return out;
}

void expect_tame(const Json& value) {
  if (value.is_structured()) {
    for (const auto& [name, member] : value.items()) expect_tame(member);
    return;
  }
  EXPECT_FALSE(value.is_number_float()) << value;
  if (!value.is_string()) return;
  for (const char c : value.get<std::string>()) EXPECT_TRUE(c >= ' ' && c <= '~') << value;
}

TEST(PolicyDocument, HoldsWholeNumbersAndAsciiOnly) {
  PolicyFacts wild = facts();
  wild.upstreams = {"http://h\xc3\xb6st:1", "http://a\n%b"};
  wild.cors_origins = {"*"};
  const Json document = policy_document(wild);
  expect_tame(document);
  EXPECT_EQ(document["engine"]["upstreams"], Json::array({"http://h%C3%B6st:1", "http://a%0A%25b"}));
  EXPECT_EQ(document["limits"]["reports_per_client_minute"], "60");
  EXPECT_EQ(document["limits"]["reports_at_once"], "0.5");
  EXPECT_EQ(document["logging"]["content"], "never");
  ASSERT_TRUE(codec::write_jcs(document));
}

TEST(PolicyDocument, EveryFactChangesTheDigest) {
  const std::function<void(PolicyFacts&)> changes[] = {
      [](PolicyFacts& f) { f.version = "1.2.4"; },
      [](PolicyFacts& f) { f.executable = ByteArray<32>{1}; },
      [](PolicyFacts& f) { f.listen_address = "0.0.0.0"; },
      [](PolicyFacts& f) { f.listen_port = 1; },
      [](PolicyFacts& f) { f.tls = "certificate"; },
      [](PolicyFacts& f) { f.token_required = true; },
      [](PolicyFacts& f) { f.cors_origins = {"*"}; },
      [](PolicyFacts& f) { f.engine = "upstream"; },
      [](PolicyFacts& f) { f.serves_itself = false; },
      [](PolicyFacts& f) { f.upstreams = {"http://a"}; },
      [](PolicyFacts& f) { f.upstream_token = true; },
      [](PolicyFacts& f) { f.cache_salt = "on"; },
      [](PolicyFacts& f) { f.shared_prompt_cache = true; },
      [](PolicyFacts& f) { f.known_answers = true; },
      [](PolicyFacts& f) { f.tee = "dstack"; },
      [](PolicyFacts& f) { f.gpu_evidence = "nvml"; },
      [](PolicyFacts& f) { f.gpu_gate = true; },
      [](PolicyFacts& f) { f.gpu_check_seconds = 1; },
      [](PolicyFacts& f) { f.gpu_policy = ByteArray<32>{1}; },
      [](PolicyFacts& f) { f.gpu_library = ByteArray<32>{1}; },
      [](PolicyFacts& f) { f.gpu_manifests = true; },
      [](PolicyFacts& f) { f.body_bytes = 1; },
      [](PolicyFacts& f) { f.reports_per_client_minute = 1; },
      [](PolicyFacts& f) { f.reports_local_minute = 1; },
      [](PolicyFacts& f) { f.reports_at_once = 1; },
      [](PolicyFacts& f) { f.upstream_connect_s = 1; },
      [](PolicyFacts& f) { f.upstream_first_byte_s = 1; },
      [](PolicyFacts& f) { f.upstream_idle_s = 1; },
      [](PolicyFacts& f) { f.grace_s = 1; },
      [](PolicyFacts& f) { f.log_level = "debug"; },
      [](PolicyFacts& f) { f.log_format = "json"; },
      [](PolicyFacts& f) { f.signing = false; },
      [](PolicyFacts& f) { f.keyset_days = 1; },
      [](PolicyFacts& f) { f.replicas = 1; },
      [](PolicyFacts& f) {
        f.receipts = {{"days", 30}};
      },
  };
  std::set<ByteArray<32>> digests = {*evidence::document_digest(policy_document(facts()))};
  for (const auto& change : changes) {
    PolicyFacts changed = facts();
    change(changed);
    digests.insert(*evidence::document_digest(policy_document(changed)));
  }
  EXPECT_EQ(digests.size(), std::size(changes) + 1);
}

std::unique_ptr<tee::Tee> simulator() {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, 3));
  return std::move(*tee::make_insecure_simulator(std::move(options)));
}

TEST(PolicyDocument, IsMeasuredBeforeItIsInForce) {
  const auto tee = simulator();
  const Json policy = policy_document(facts());
  const Keyring keyring = std::move(*Keyring::make(tee.get(), *evidence::key_configuration_digest(policy)));
  const FakeClock clock(1'800'000'000);
  Identity identity(keyring, clock);
  bool measured_first = false;
  const auto digest = *evidence::document_digest(policy);
  const auto listener = identity.on_change([&] { measured_first = equal(tee->event_log()->back().payload, digest); });
  ASSERT_TRUE(enter_policy(policy, tee.get(), identity));
  EXPECT_TRUE(measured_first);
  EXPECT_EQ(tee->event_log()->back().name, kPolicyEvent);
  EXPECT_EQ(identity.now()->policy_digest, digest);
  // Without a TEE the document is measured nowhere, and is in force all the same.
  PolicyFacts louder = facts();
  louder.log_level = "debug";
  ASSERT_TRUE(enter_policy(policy_document(louder), nullptr, identity));
  EXPECT_EQ(identity.now()->policy, policy_document(louder));
  // The keys of this process belong to what decides who can read prompts.
  PolicyFacts another = facts();
  another.engine = "upstream";
  EXPECT_EQ(enter_policy(policy_document(another), nullptr, identity).error().code, ErrorCode::kUsage);
  EXPECT_EQ(identity.now()->policy, policy_document(louder));
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

TEST(PolicyDocument, WhatCannotBeMeasuredIsNotInForce) {
  BrokenRegister tee;
  const Keyring keyring =
      std::move(*Keyring::make(nullptr, *evidence::key_configuration_digest(policy_document(facts()))));
  const FakeClock clock(1'800'000'000);
  Identity identity(keyring, clock);
  const auto before = identity.now();
  EXPECT_EQ(enter_policy(policy_document(facts()), &tee, identity).error().code, ErrorCode::kTeeFailed);
  EXPECT_EQ(identity.now(), before);
}

TEST(ExecutableDigest, IsThatOfThisProgram) {
  const auto digest = executable_digest();
  ASSERT_TRUE(digest) << digest.error().message;
  const auto file = read_file("/proc/self/exe", 1u << 30);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(*digest, crypto::sha256(as_bytes(*file)));
}

}  // namespace
}  // namespace cloister::identity
