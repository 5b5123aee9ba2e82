#include "serve/attestation_service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "gpu/simulator/simulator.h"
#include "tee/simulator/simulator.h"
#include "verify/report.h"

namespace cloister::serve {
namespace {

SecretBytes seed() { return SecretBytes(Bytes(32, 9)); }

// The simulated TEE, counting quotes and able to hold them back.
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
    return inner_->quote(data);
  }
  Result<std::vector<evidence::Event>> event_log() override { return inner_->event_log(); }
  Result<tee::TeeInfo> info() override { return inner_->info(); }
  Result<SecretBytes> derive_key(std::string_view label) override { return inner_->derive_key(label); }

  std::atomic<int> quotes = 0;
  std::shared_future<void> gate;

 private:
  std::unique_ptr<tee::Tee> inner_;
};

class AttestationServiceTest : public testing::Test {
 protected:
  AttestationServiceTest() {
    service_ = std::make_unique<AttestationService>(
        AttestationParts{tee_, gpu_.get(), keyring_, tls_, [] { return std::string("m"); }}, *pool_, clock_);
  }

  Result<AttestationService::Report> get(const ReportQuery& query) {
    std::promise<Result<AttestationService::Report>> promise;
    auto future = promise.get_future();
    service_->report(query, [&](Result<AttestationService::Report> report) { promise.set_value(std::move(report)); });
    return future.get();
  }

  CountingTee tee_;
  std::unique_ptr<gpu::GpuEvidenceSource> gpu_ = std::move(*gpu::make_insecure_simulator({.seed = seed()}));
  Keyring keyring_ = std::move(*Keyring::make(&tee_));
  std::optional<ByteArray<32>> tls_ = ByteArray<32>{7};
  FakeClock clock_{1'800'000'000};
  std::unique_ptr<WorkerPool> pool_ = std::make_unique<WorkerPool>(1, 2);
  std::unique_ptr<AttestationService> service_;
};

TEST_F(AttestationServiceTest, ReportsWithANonceAreFreshAndVerify) {
  for (bool tls : {false, true}) {
    for (auto algo : {evidence::SigningAlgo::kEcdsa, evidence::SigningAlgo::kEd25519}) {
      ReportQuery query{.algo = algo, .nonce = evidence::Nonce{1, 2, 3}, .include_tls_fingerprint = tls};
      auto report = get(query);
      ASSERT_TRUE(report) << report.error().message;
      verify::Expected expected{.nonce = query.nonce, .tls_spki_sha256 = tls ? tls_ : std::nullopt};
      verify::Verdict verdict = verify::verify_report(**report, expected, {{.accept_simulator = true}, {}, clock_.now()});
      EXPECT_EQ(verdict.outcome(), verify::Outcome::kAccepted) << verify::to_text(verdict, false);
    }
  }
  EXPECT_EQ(tee_.quotes, 4);
}

TEST_F(AttestationServiceTest, HasEveryMemberThatVerifiersRead) {
  auto report = get({.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true});
  ASSERT_TRUE(report);
  Result<Json> json = codec::parse_json(**report);
  ASSERT_TRUE(json);
  for (const char* name : {"signing_address", "signing_algo", "signing_public_key", "request_nonce", "intel_quote", "quote",
                           "nvidia_payload", "event_log", "info", "vm_config", "tls_cert_fingerprint", "all_attestations",
                           "tee_type", "model_name"}) {
    EXPECT_TRUE(json->contains(name)) << name;
  }
  EXPECT_TRUE((*json)["nvidia_payload"].is_string());
  EXPECT_TRUE((*json)["event_log"].is_array());
  ASSERT_EQ((*json)["all_attestations"].size(), 1u);
  EXPECT_EQ((*json)["all_attestations"][0]["intel_quote"], (*json)["intel_quote"]);
  EXPECT_EQ((*json)["tee_type"], "insecure_simulator");
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

TEST_F(AttestationServiceTest, AFloodOfNoncesIsRefusedNotQueuedForEver) {
  std::promise<void> open;
  tee_.gate = open.get_future().share();
  std::atomic<int> busy = 0, done = 0;
  std::promise<void> all;
  for (int i = 0; i < 20; ++i) {
    service_->report({.nonce = evidence::Nonce{1}}, [&](Result<AttestationService::Report> report) {
      if (!report && report.error().code == ErrorCode::kBusy) ++busy;
      if (++done == 20) all.set_value();
    });
  }
  EXPECT_GE(busy, 17);  // one runs, two wait
  open.set_value();
  all.get_future().wait();
}

TEST_F(AttestationServiceTest, NoTlsKeyNoTlsBinding) {
  AttestationService plain(AttestationParts{tee_, nullptr, keyring_, std::nullopt, [] { return std::string("m"); }}, *pool_,
                           clock_);
  bool refused = false;
  plain.report({.nonce = evidence::Nonce{1}, .include_tls_fingerprint = true},
               [&](Result<AttestationService::Report> report) { refused = !report && report.error().param == "include_tls_fingerprint"; });
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace cloister::serve
