// Cloister's own report (docs/spec/native-report.md) on simulated evidence. CPU and GPU evidence bind each other, and
// every change fails.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "tests/simulator/expect_service_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

using verify::Outcome;
using verify::State;

evidence::Nonce honest_gpu_nonce() {
  return evidence::gpu_nonce(*evidence::document_digest(service().keyset()), test_nonce());
}

TEST(NativeReport, AGenuineOneIsAcceptedWithAndWithoutGpu) {
  ServiceCase c = native_case();
  verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["report_data_layout"], "native");
  EXPECT_NE(verdict.facts["gpu_binding"].get<std::string>().find("both ways"), std::string::npos);
  EXPECT_EQ(verify::attested_addresses(verdict),
            std::vector<std::string>{node().address(evidence::SigningAlgo::kEd25519)});
  c.report = service().native_report(test_nonce(), false);
  verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["gpu_binding"], "none");
}

TEST(NativeReport, ExpectedModelAndPolicyPass) {
  ServiceCase c = native_case();
  c.policy.service.model_digests = {to_bytes(*evidence::document_digest(service().model()))};
  c.policy.service.policy_digests = {to_bytes(*evidence::document_digest(service().policy()))};
  verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted);
  EXPECT_EQ(verdict.find("report.model_digest")->state, State::kPass);
  EXPECT_EQ(verdict.find("report.policy_digest")->state, State::kPass);
  // The documents are for readers. The digests are enough for the verifier.
  c.report.erase("model");
  c.report.erase("policy");
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
}

TEST(NativeReport, EveryChangeFailsItsOwnCheck) {
  const Json other_model = {{"name", "demo"}, {"weights", "sha256:" + std::string(64, '2')}};
  expect_service_failing(
      native_case(), &ServiceCase::judge_report,
      {
          {"another version", [](ServiceCase& c) { c.report["api_version"] = "cloister/2"; }, {"report.form"}},
          {"another purpose",
           [](ServiceCase& c) { c.report["statement"]["purpose"] = "aci.report_data.v1"; },
           {"report.form"}},
          {"a member too many in the statement",
           [](ServiceCase& c) { c.report["statement"]["verified"] = true; },
           {"report.form"}},
          {"statement changed",
           [](ServiceCase& c) { c.report["statement"]["policy_digest"] = nullptr, c.report.erase("policy"); },
           {"report_data.identity"}},
          {"keyset of the attacker",
           [](ServiceCase& c) { c.report["keyset"]["receipt_signing_keys"][0]["public_key"] = std::string(64, 'a'); },
           {"keyset.digest", "nvidia.payload.nonce", "nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"}},
          {"nonce",
           [](ServiceCase& c) { c.expected.nonce->at(0) ^= 1; },
           {"report.nonce", "report_data.nonce", "nvidia.payload.nonce", "nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"}},
          {"model document", [&](ServiceCase& c) { c.report["model"] = other_model; }, {"report.model_digest"}},
          {"policy document",
           [](ServiceCase& c) { c.report["policy"]["log_prompts"] = true; },
           {"report.policy_digest", "policy.document"}},
          {"unexpected model",
           [](ServiceCase& c) { c.policy.service.model_digests = {Bytes(32, 1)}; },
           {"report.model_digest"}},
          {"unexpected policy",
           [](ServiceCase& c) { c.policy.service.policy_digests = {Bytes(32, 1)}; },
           {"report.policy_digest"}},
          {"no model where one is expected",
           [](ServiceCase& c) {
             evidence::NativeStatement statement = service().statement(test_nonce(), std::nullopt);
             statement.model_digest.reset();
             c.report = service().native_report_around(statement, std::nullopt);
             c.report.erase("model");
             c.policy.service.model_digests = {Bytes(32, 1)};
           },
           {"report.model_digest"}},
          {"GPU evidence left out",
           [](ServiceCase& c) { c.report["nvidia_payload"] = nullptr; },
           {"report.gpu_evidence_digest"}},
          {"GPU evidence added",
           [](ServiceCase& c) {
             c.report = service().native_report(test_nonce(), false);
             c.report["nvidia_payload"] = service().payload(honest_gpu_nonce());
           },
           {"report.gpu_evidence_digest"}},
          {"named as real", [](ServiceCase& c) { c.report["tee_type"] = "tdx"; }, {"report.tee_type"}},
          {"expired", [](ServiceCase& c) { c.time = kNotAfter; }, {"keyset.not_after"}},
          {"the channel ends elsewhere",
           [](ServiceCase& c) { c.expected.tls_spki_sha256.emplace().fill(0x11); },
           {"report_data.tls"}},
      });
}

// GPU to CPU: evidence of another node's GPU answers the client's nonce freshly, but for another keyset.
TEST(NativeReport, AGpuThatAnsweredTheClientsNonceAloneIsRefused) {
  ServiceCase c = native_case();
  const std::string payload = service().payload(test_nonce());
  c.report = service().native_report_around(service().statement(test_nonce(), payload), payload);
  EXPECT_EQ(ids_in(c.judge_report(), State::kFail),
            (Ids{"nvidia.payload.nonce", "nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"}));
}

// CPU to GPU: the quote was made over other evidence, although the shown evidence answers the right nonce too.
TEST(NativeReport, AnotherGpuThatAnsweredTheRightNonceIsRefused) {
  const SimulatedNode other(7, 2);
  ServiceCase c = native_case();
  c.report["nvidia_payload"] = SimulatedService(other).payload(honest_gpu_nonce());
  EXPECT_EQ(ids_in(c.judge_report(), State::kFail), Ids{"report.gpu_evidence_digest"});
}

}  // namespace
}  // namespace cloister::testing
