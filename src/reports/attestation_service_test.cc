#include "reports/attestation_service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "crypto/ed25519.h"
#include "evidence/known_answers_result.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "gpu/simulator/simulator.h"
#include "identity/measured_event.h"
#include "reports/evidence_metrics.h"
#include "tee/simulator/simulator.h"
#include "verify/report.h"

namespace cloister::reports {
namespace {

SecretBytes seed() { return SecretBytes(Bytes(32, 9)); }

// The simulated TEE, which counts quotes and can delay them.
class CountingTee : public tee::Tee {
 public:
  CountingTee() {
    tee::SimulatorOptions options;
    options.seed = seed();
    inner_ = std::move(*tee::make_insecure_simulator(std::move(options)));
  }
  std::string_view type() const override { return inner_->type(); }
  Result<Bytes> quote(const evidence::ReportData& data) override {
    ++quotes;
    if (gate.valid()) gate.wait();
    if (fails) return fail(ErrorCode::kTeeFailed, "no answer at /var/run/dstack.sock");
    Result<Bytes> quote = inner_->quote(data);
    if (events_in_between > 0) {
      EXPECT_TRUE(inner_->extend_event("test-event", Bytes(static_cast<std::size_t>(events_in_between--), 1)));
    }
    return quote;
  }
  Result<std::vector<evidence::Event>> event_log() override {
    return logs ? inner_->event_log() : Result(std::vector<evidence::Event>());
  }
  Result<tee::TeeInfo> info() override { return inner_->info(); }
  Result<SecretBytes> derive_key(std::string_view label) override { return inner_->derive_key(label); }
  Result<void> extend_event(std::string_view name, ByteView payload) override {
    return inner_->extend_event(name, payload);
  }

  std::atomic<int> quotes = 0;
  std::shared_future<void> gate;
  bool logs = true;
  std::atomic<bool> fails = false;
  int events_in_between = 0;  // events that are measured right after the next quotes, one after each

 private:
  std::unique_ptr<tee::Tee> inner_;
};

class AttestationServiceTest : public ::testing::Test {
 protected:
  AttestationServiceTest() { service_ = std::make_unique<AttestationService>(parts(), *pool_, clock_); }

  ReportParts parts() {
    return {.tee = tee_,
            .gpu = gpu_.get(),
            .keyring = keyring_,
            .identity = identity_,
            .model_name = [] { return std::string("m"); },
            .source = {},
            .keep_report = {}};
  }

  void limit(const ReportLimits& limits) {
    service_ = std::make_unique<AttestationService>(parts(), *pool_, clock_, limits);
  }

  Result<AttestationService::Report> get(const ReportQuery& query) {
    std::promise<Result<AttestationService::Report>> promise;
    auto future = promise.get_future();
    service_->report(query, [&](Result<AttestationService::Report> report) { promise.set_value(std::move(report)); });
    return future.get();
  }

  // As another start of the node would, whatever configuration the keys of this node belong to.
  Result<void> enter(const Json& policy) {
    TRY_VOID(identity::measure_event(tee_, evidence::kPolicyEvent, *evidence::document_digest(policy)));
    return identity_.set_policy(policy);
  }

  CountingTee tee_;
  std::unique_ptr<gpu::GpuEvidenceSource> gpu_ = std::move(*gpu::make_insecure_simulator({.seed = seed()}));
  identity::Keyring keyring_ = std::move(*identity::Keyring::make(&tee_, {}));
  std::optional<ByteArray<32>> tls_ = ByteArray<32>{7};
  FakeClock clock_{1'800'000'000};
  identity::Identity identity_{
      keyring_, clock_, {.keyset_days = 30, .tls_spki_sha256 = tls_, .tls_key_origin = evidence::TlsKeyOrigin::kBorn}};
  std::unique_ptr<WorkerPool> pool_ = std::make_unique<WorkerPool>(1, 2);
  std::unique_ptr<AttestationService> service_;
};

// A policy document in the form of this node's; `tls` says where the TLS key was made.
Json policy_document(const char* tls) {
  return {{"schema", "cloister.policy.v1"},
          {"listen", {{"address", "127.0.0.1"}, {"port", 8443}, {"tls", tls}, {"token_required", true}}},
          {"engine",
           {{"kind", "echo"}, {"serving", "direct"}, {"shared_prompt_cache", false}, {"upstreams", Json::array()}}},
          {"tee", "insecure_simulator"},
          {"gpu", {{"evidence", "insecure_simulator"}, {"library", nullptr}, {"required", true}}},
          {"logging", {{"content", "never"}}}};
}
const Json kBorn = policy_document("self-signed");

TEST_F(AttestationServiceTest, ReportsWithANonceAreFreshAndVerify) {
  ASSERT_TRUE(enter(kBorn));
  for (bool tls : {false, true}) {
    for (auto algo : {evidence::SigningAlgo::kEcdsa, evidence::SigningAlgo::kEd25519}) {
      ReportQuery query{.algo = algo, .nonce = evidence::Nonce{1, 2, 3}, .include_tls_fingerprint = tls};
      auto report = get(query);
      ASSERT_TRUE(report) << report.error().message;
      const verify::Expected expected{
          .nonce = query.nonce, .tls_spki_sha256 = tls ? tls_ : std::nullopt, .no_connection = !tls};
      verify::Verdict verdict =
          verify::verify_report(**report, expected, {{.accept_simulator = true}, {}, clock_.now()});
      EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << verify::to_text(verdict, false);
    }
  }
  EXPECT_EQ(tee_.quotes, 4);
}

TEST_F(AttestationServiceTest, ALegacyReportSaysWhereItsTlsKeyWasMade) {
  const ReportQuery query{.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true};
  const verify::Expected expected{.nonce = query.nonce, .tls_spki_sha256 = tls_};
  const auto judge = [&] {
    return verify::verify_report(**get(query), expected, {{.accept_simulator = true}, {}, clock_.now()});
  };
  EXPECT_EQ(judge().outcome(), verify::Outcome::kUndetermined) << "no policy was measured";
  ASSERT_TRUE(identity_.set_policy(kBorn));
  EXPECT_EQ(judge().outcome(), verify::Outcome::kUndetermined) << "a policy that the register was not told of";
  ASSERT_TRUE(enter(kBorn));
  EXPECT_EQ(judge().outcome(), verify::Outcome::kAccepted);
  ASSERT_TRUE(enter(policy_document("certificate")));
  const verify::Verdict given = judge();
  EXPECT_EQ(given.outcome(), verify::Outcome::kUndetermined);
  EXPECT_EQ(given.facts["tls_key_origin"], "given");
  ASSERT_TRUE(identity_.set_policy(kBorn));
  EXPECT_EQ(judge().outcome(), verify::Outcome::kRejected) << "not the policy that the register was told of last";
}

TEST_F(AttestationServiceTest, HasEveryMemberThatVerifiersRead) {
  auto report = get({.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true});
  ASSERT_TRUE(report);
  Result<Json> json = codec::parse_json(**report);
  ASSERT_TRUE(json);
  for (const char* name : {"signing_address", "signing_algo", "signing_public_key", "request_nonce", "intel_quote",
                           "quote", "nvidia_payload", "event_log", "info", "vm_config", "tls_cert_fingerprint",
                           "all_attestations", "tee_type", "model_name"}) {
    EXPECT_TRUE(json->contains(name)) << name;
  }
  EXPECT_TRUE((*json)["nvidia_payload"].is_string());
  EXPECT_TRUE((*json)["event_log"].is_array());
  ASSERT_EQ((*json)["all_attestations"].size(), 1u);
  EXPECT_EQ((*json)["all_attestations"][0]["intel_quote"], (*json)["intel_quote"]);
  EXPECT_EQ((*json)["tee_type"], "insecure_simulator");
}

TEST_F(AttestationServiceTest, ATeeWithoutALogIsNotSaidToHaveAnEmptyOne) {
  tee_.logs = false;
  const evidence::Nonce nonce{1};
  const auto report = get({.nonce = nonce});
  ASSERT_TRUE(report);
  EXPECT_TRUE(codec::parse_json(**report)->at("event_log").is_null());
  verify::Policy policy;
  policy.accept_simulator = true;
  const verify::Collateral none;
  const verify::Verdict verdict = verify::verify_report(**report, {.nonce = nonce}, {policy, none, clock_.now()});
  EXPECT_NE(verdict.outcome(), verify::Outcome::kRejected) << verify::to_text(verdict, false);
}

TEST_F(AttestationServiceTest, WithoutANonceOneQuoteServesAllUntilItAges) {
  std::promise<void> open;
  tee_.gate = open.get_future().share();
  std::atomic<int> answered = 0;
  std::promise<void> all;
  for (int i = 0; i < 8; ++i) {
    service_->report({}, [&](Result<AttestationService::Report> report) {
      EXPECT_TRUE(report);
      if (++answered == 8) all.set_value();
    });
  }
  open.set_value();
  all.get_future().wait();
  EXPECT_EQ(tee_.quotes, 1);
  ASSERT_TRUE(get({}));
  EXPECT_EQ(tee_.quotes, 1);
  clock_.advance(301);
  ASSERT_TRUE(get({}));
  EXPECT_EQ(tee_.quotes, 2);
}

// Counts the answers to many reports, which arrive in any order.
struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, int> good;
  std::vector<Error> errors;
  int all = 0;

  AttestationService::Done from(const std::string& client) {
    return [this, client](Result<AttestationService::Report> report) {
      std::lock_guard lock(mutex);
      if (report) {
        ++good[client];
      } else {
        errors.push_back(report.error());
      }
      ++all;
      changed.notify_all();
    };
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return all >= count; });
  }
};

TEST_F(AttestationServiceTest, AFloodOfNoncesIsRefusedNotQueuedForEver) {
  limit({.queue = 2, .per_client_per_minute = 0});
  std::promise<void> open;
  tee_.gate = open.get_future().share();
  Answers answers;
  for (int i = 0; i < 20; ++i) service_->report({.nonce = evidence::Nonce{1}, .client = "a"}, answers.from("a"));
  answers.wait_for(17);  // at most one runs and two wait
  for (const Error& error : answers.errors) {
    EXPECT_EQ(error.code, ErrorCode::kBusy);
    EXPECT_GE(error.retry_after_s, 1);
  }
  open.set_value();
  answers.wait_for(20);
  EXPECT_GE(answers.good["a"], 2);
}

TEST_F(AttestationServiceTest, AnotherClientsReportIsNextWhoeverFloods) {
  limit({.queue = 8, .per_client_per_minute = 0});
  std::promise<void> open;
  tee_.gate = open.get_future().share();
  Answers answers;
  for (int i = 0; i < 50; ++i)
    service_->report({.nonce = evidence::Nonce{1}, .client = "flood"}, answers.from("flood"));
  service_->report({.nonce = evidence::Nonce{2}, .client = "other"}, answers.from("other"));
  service_->report({}, answers.from("cached"));
  open.set_value();
  answers.wait_for(52);
  EXPECT_EQ(answers.good["other"], 1);
  EXPECT_EQ(answers.good["cached"], 1);
  EXPECT_LE(answers.good["flood"], 9);
}

TEST_F(AttestationServiceTest, AClientIsHeldToItsRateAndOthersAreNot) {
  limit({.per_client_per_minute = 1, .per_client_burst = 3});
  auto ask = [this](const std::string& client) { return get({.nonce = evidence::Nonce{1}, .client = client}); };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask("a"));
  const auto refused = ask("a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRateLimited);
  EXPECT_GT(refused.error().retry_after_s, 30);
  EXPECT_TRUE(ask("b"));
  EXPECT_TRUE(get({.client = "a"})) << "without a nonce there is no limit";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ask("")) << "the operator's own machine";
}

TEST_F(AttestationServiceTest, CallersOfThisMachineShareARateOfTheirOwn) {
  limit({.per_client_per_minute = 1, .per_client_burst = 1, .local_per_minute = 3});
  auto ask = [this](const std::string& client) { return get({.nonce = evidence::Nonce{1}, .client = client}); };
  EXPECT_TRUE(ask("a"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(""));
  const auto refused = ask("");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kRateLimited);
  EXPECT_GT(refused.error().retry_after_s, 10);
  EXPECT_LE(refused.error().retry_after_s, 20);
  EXPECT_TRUE(ask("b")) << "they take nothing from others";
  EXPECT_TRUE(get({})) << "without a nonce there is no limit";
  limit({.per_client_per_minute = 1, .per_client_burst = 1, .local_per_minute = 0.1});
  EXPECT_TRUE(ask("")) << "one at once at least";
  EXPECT_REFUSED(
      ask(""),
      "you ask for reports with a nonce more often than this node makes them for one client; without a nonce there is no limit");
  limit({.per_client_per_minute = 1, .local_per_minute = 0});
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(ask("")) << i;
}

TEST_F(AttestationServiceTest, WhatItDoesIsCounted) {
  metrics::Registry registry;
  EvidenceMetrics metrics(registry);
  ReportParts counted = parts();
  counted.metrics = &metrics;
  service_ = std::make_unique<AttestationService>(std::move(counted), *pool_, clock_,
                                                  ReportLimits{.per_client_per_minute = 1, .per_client_burst = 1});
  EXPECT_TRUE(get({}));
  EXPECT_TRUE(get({.nonce = evidence::Nonce{1}, .client = "a"}));
  EXPECT_REFUSED(
      get({.nonce = evidence::Nonce{1}, .client = "a"}),
      "you ask for reports with a nonce more often than this node makes them for one client; without a nonce there is no limit");
  clock_.advance(20);
  service_->update_metrics();
  const std::string text = registry.render();
  for (const char* line : {"cloister_quotes_total 2", "cloister_report_refusals_total{reason=\"client_rate\"} 1",
                           "cloister_report_refusals_total{reason=\"queue_full\"} 0", "cloister_report_age_seconds 20",
                           "cloister_reports_waiting 0", "cloister_report_seconds_count 2"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

// A source of GPU evidence that gives none.
class NoEvidence : public gpu::GpuEvidenceSource {
 public:
  std::string_view type() const override { return "nvml"; }
  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>&) override {
    return fail(ErrorCode::kGpuFailed, "not in confidential-computing mode");
  }
  Result<gpu::GpuStatus> status() override { return gpu::GpuStatus{}; }
};

TEST_F(AttestationServiceTest, WithoutGpuEvidenceThereIsNoReportUnlessTheNodeMayDoWithout) {
  NoEvidence none;
  ReportParts without = parts();
  without.gpu = &none;
  service_ = std::make_unique<AttestationService>(without, *pool_, clock_);
  const auto refused = get({.nonce = evidence::Nonce{1}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kGpuFailed);
  without.gpu_optional = true;
  service_ = std::make_unique<AttestationService>(without, *pool_, clock_);
  const auto report = get({.nonce = evidence::Nonce{1}});
  ASSERT_TRUE(report);
  const Json json = *codec::parse_json(**report);
  EXPECT_TRUE(json["nvidia_payload"].is_null());
  EXPECT_EQ(json["gpu_evidence_error"], "not in confidential-computing mode");
}

TEST_F(AttestationServiceTest, AnotherTlsKeyIsInEveryReportFromThenOn) {
  const ByteArray<32> next{8};
  verify::Policy policy;
  policy.accept_simulator = true;
  const verify::Collateral none;
  const auto judge = [&](const ReportQuery& query, const ByteArray<32>& seen) {
    const auto report = get(query);
    EXPECT_TRUE(report);
    if (!report) return verify::Outcome::kUndetermined;
    return verify::verify_report(**report, {.nonce = query.nonce, .tls_spki_sha256 = seen},
                                 {policy, none, clock_.now()})
        .outcome();
  };
  ASSERT_TRUE(enter(kBorn));
  const ReportQuery legacy{.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true};
  const std::string before = **get({.include_tls_fingerprint = true});
  identity_.set_tls_key(next);
  EXPECT_NE(**get({.include_tls_fingerprint = true}), before) << "what was made before is not given out any more";
  for (const ReportQuery& query : {legacy, ReportQuery{.kind = ReportKind::kAci, .nonce = evidence::Nonce{1}},
                                   ReportQuery{.kind = ReportKind::kNative, .nonce = evidence::Nonce{1}}}) {
    EXPECT_EQ(judge(query, *tls_), verify::Outcome::kRejected);
  }
  EXPECT_EQ(judge(legacy, next), verify::Outcome::kAccepted);
}

TEST_F(AttestationServiceTest, EveryKindIsAcceptedWithItsNonce) {
  ASSERT_TRUE(identity_.set_model(std::make_shared<const Json>(Json{{"weights", "w"}})));
  ASSERT_TRUE(enter(kBorn));
  for (const ReportKind kind : {ReportKind::kAci, ReportKind::kNative}) {
    const ReportQuery query{.kind = kind, .nonce = evidence::Nonce{4, 5}};
    const auto report = get(query);
    ASSERT_TRUE(report) << report.error().message;
    verify::Expected expected{.nonce = query.nonce, .tls_spki_sha256 = tls_};
    verify::Policy policy;
    policy.accept_simulator = true;
    const verify::Collateral none;
    const verify::Verdict verdict = verify::verify_report(**report, expected, {policy, none, clock_.now()});
    EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << verify::to_text(verdict, false);
    EXPECT_EQ(verdict.facts["keyset_digest"], identity_.now()->keyset_digest_text);
    EXPECT_EQ(verdict.facts["attested_addresses"].size(), 2u) << "the legacy keys are attested, too";
    const verify::Verdict other =
        verify::verify_report(**report, {.nonce = evidence::Nonce{4}}, {policy, none, clock_.now()});
    EXPECT_EQ(other.outcome(), verify::Outcome::kRejected);
  }
  EXPECT_EQ(tee_.quotes, 2) << "a quote of its own each";
}

TEST_F(AttestationServiceTest, WithoutANonceAnEpochHasOneReportOfEachKind) {
  for (const ReportKind kind : {ReportKind::kAci, ReportKind::kNative}) {
    const auto first = get({.kind = kind});
    ASSERT_TRUE(first);
    EXPECT_EQ(*get({.kind = kind}), *first);
    ASSERT_TRUE(identity_.set_policy({{"changed", to_text(kind)}}));
    const auto second = get({.kind = kind});
    ASSERT_TRUE(second);
    EXPECT_NE(*second, *first) << "the epoch is another";
  }
  EXPECT_EQ(tee_.quotes, 4);
}

// A result is signed with the key that the quote binds; a report that was made before the first test is handed out and not kept.
TEST_F(AttestationServiceTest, TheNativeReportShowsThePassedTests) {
  const ReportQuery fresh{.kind = ReportKind::kNative, .nonce = evidence::Nonce{4, 5}},
      cached{.kind = ReportKind::kNative};
  ASSERT_TRUE(identity_.set_model(std::make_shared<const Json>(Json{{"weights", "w"}})));
  ASSERT_TRUE(enter(kBorn));
  std::optional<std::vector<evidence::KnownAnswersResult>> passed;
  ReportParts tested = parts();
  tested.known_answers = [&] { return passed; };
  service_ = std::make_unique<AttestationService>(std::move(tested), *pool_, clock_);
  const auto member = [&](const ReportQuery& query) {
    return codec::parse_json(**get(query))->value("known_answers", Json());
  };
  EXPECT_TRUE(member(cached).is_null());
  passed = {{{1}, identity_.now()->model_digest, clock_.now() - 5, 4, 32, "0.001234", "0.050000"}};
  EXPECT_FALSE(member(cached).is_null()) << "the one of before was not kept";
  const auto read = evidence::parse_signed_known_answers(member(fresh));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->results, *passed);
  EXPECT_EQ(read->key_id, identity_.now()->receipt_key_id);
  EXPECT_TRUE(crypto::verify_ed25519(keyring_.receipt_public_key(), as_bytes(read->signing_input), read->signature));
  verify::Policy policy;
  policy.accept_simulator = true;
  const verify::Collateral none;
  const auto verdict = verify::verify_report(**get(fresh), {.nonce = fresh.nonce, .tls_spki_sha256 = tls_},
                                             {policy, none, clock_.now()});
  EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << verify::to_text(verdict, false);
  EXPECT_EQ(verdict.find("model.known_answers")->state, verify::State::kPass);
  passed->clear();
  EXPECT_TRUE(member(fresh).is_null()) << "withdrawn";
}

// Receipts are verified with these reports when the node is gone: they are made and kept although nobody asks.
TEST_F(AttestationServiceTest, TheReportsOfEachEpochAreHandedOver) {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::pair<std::uint64_t, std::string>, std::string> kept;
  ReportParts keeping = parts();
  keeping.keep_report = [&](const identity::Epoch& epoch, std::string_view kind, std::string_view report) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(kept.emplace(std::pair(epoch.number, std::string(kind)), report).second) << "handed over twice";
    changed.notify_all();
  };
  service_ = std::make_unique<AttestationService>(std::move(keeping), *pool_, clock_);
  const auto wait_for = [&](std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return kept.size() >= count; });
  };
  service_->keep_current();
  wait_for(2);
  ASSERT_TRUE(identity_.set_policy({{"a", 1}}));
  wait_for(4);
  clock_.advance(15 * 86400);
  service_->update_metrics();
  wait_for(6);
  ASSERT_TRUE(get({.kind = ReportKind::kAci}));
  service_.reset();
  EXPECT_EQ(kept.size(), 6u);
  for (const std::uint64_t number : {1, 2, 3}) {
    const Json aci = *codec::parse_json(kept.at({number, "report.aci"}));
    const Json native = *codec::parse_json(kept.at({number, "report.native"}));
    EXPECT_EQ(aci["attestation"]["workload_keyset"], native["keyset"]);
  }
  EXPECT_NE((kept.at({2, "report.aci"})), (kept.at({3, "report.aci"})));
}

// A store forgets what nobody names any more, so the reports of a long epoch are kept again.
TEST_F(AttestationServiceTest, ALongEpochIsHandedOverAgain) {
  std::atomic<int> kept = 0;
  ReportParts keeping = parts();
  keeping.keep_report = [&](const identity::Epoch&, std::string_view, std::string_view) { ++kept; };
  service_ = std::make_unique<AttestationService>(std::move(keeping), *pool_, clock_);
  service_->keep_current();
  while (kept < 2) std::this_thread::yield();
  clock_.advance(11 * 3600);
  service_->keep_current();
  service_->keep_current();
  EXPECT_EQ(kept, 2);
  clock_.advance(3600);
  service_->keep_current();
  while (kept < 4) std::this_thread::yield();
}

// A TEE that fails at the wrong moment only delays what is kept.
TEST_F(AttestationServiceTest, WhatCouldNotBeMadeIsMadeLater) {
  std::atomic<int> kept = 0;
  ReportParts keeping = parts();
  keeping.keep_report = [&](const identity::Epoch&, std::string_view, std::string_view) { ++kept; };
  service_ = std::make_unique<AttestationService>(std::move(keeping), *pool_, clock_);
  tee_.fails = true;
  service_->keep_current();
  EXPECT_REFUSED(get({.kind = ReportKind::kNative}), "this node's TEE gives no quote for now; the node's log says why");
  EXPECT_EQ(kept, 0);
  tee_.fails = false;
  ASSERT_TRUE(get({.nonce = evidence::Nonce{1}}));
  while (kept < 2) std::this_thread::yield();
}

TEST_F(AttestationServiceTest, ErrorsOfTheTeeNameNoPlaceOfThisMachine) {
  tee_.fails = true;
  for (const ReportKind kind : {ReportKind::kLegacy, ReportKind::kAci, ReportKind::kNative}) {
    const auto report = get({.kind = kind, .nonce = evidence::Nonce{1}});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kTeeFailed);
    EXPECT_EQ(report.error().message.find('/'), std::string::npos) << report.error().message;
  }
}

// An event is measured between the quote and the reading of the log.
TEST_F(AttestationServiceTest, AnEventInBetweenGivesNoReportThatDoesNotReplay) {
  ASSERT_TRUE(enter(kBorn));
  for (const ReportKind kind : {ReportKind::kLegacy, ReportKind::kAci, ReportKind::kNative}) {
    tee_.events_in_between = 2;
    const ReportQuery query{.kind = kind, .nonce = evidence::Nonce{1}};
    const auto report = get(query);
    ASSERT_TRUE(report) << report.error().message;
    verify::Policy policy;
    policy.accept_simulator = true;
    const verify::Collateral none;
    const verify::Verdict verdict =
        verify::verify_report(**report, {.nonce = query.nonce, .no_connection = true}, {policy, none, clock_.now()});
    EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << verify::to_text(verdict, false);
  }
  tee_.events_in_between = 100;
  const auto never = get({.nonce = evidence::Nonce{1}});
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kBusy);
}

TEST_F(AttestationServiceTest, EndsWhileReportsWait) {
  Answers answers;
  for (int i = 0; i < 30; ++i) service_->report({.nonce = evidence::Nonce{1}}, answers.from("a"));
  service_.reset();  // the running report ends; the others are dropped
  EXPECT_LE(tee_.quotes, 30);
}

TEST_F(AttestationServiceTest, NoTlsKeyNoTlsBinding) {
  identity::Identity without_tls(keyring_, clock_);
  const ReportParts given = parts();
  AttestationService plain({.tee = given.tee,
                            .gpu = given.gpu,
                            .keyring = given.keyring,
                            .identity = without_tls,
                            .model_name = given.model_name,
                            .source = {},
                            .keep_report = {}},
                           *pool_, clock_);
  bool refused = false;
  plain.report({.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true},
               [&](Result<AttestationService::Report> report) {
                 refused = !report && report.error().param == "include_tls_fingerprint";
               });
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace cloister::reports
