// The known mistakes of verifiers about reports, keys and signatures, with one named test for each. The numbers are
// those of the list of pitfalls (P) and of the inventory of weaknesses found in other systems (W).
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/native_report.h"
#include "evidence/proof.h"
#include "tests/simulator/expect_service_failing.h"
#include "tests/simulator/forgery.h"
#include "verify/signature.h"

namespace cloister::testing {
namespace {

using evidence::SigningAlgo;
using verify::Outcome;
using verify::State;

evidence::Proof proof_of(const Json& report) {
  evidence::Proof proof;
  proof.time = kJudgedAt;
  proof.nonce_hex = to_hex(test_nonce());
  proof.request = to_bytes(as_bytes("{}"));
  proof.response = to_bytes(as_bytes("ok"));
  proof.signature = node().sign(SigningAlgo::kEcdsa, "{}", "ok");
  proof.report = codec::write_json(report);
  return proof;
}

verify::Verdict judge(const evidence::Proof& proof) {
  const verify::Policy policy{.accept_simulator = true, .service = {.accept_no_node_policy = true}};
  return verify::verify_proof(proof, test_nonce(), {policy, {}, kJudgedAt});
}

// P36: a verifier compares only the address half of report data. Every byte of it counts, whoever signed the quote.
TEST(Pitfall, P36EveryByteOfReportDataIsCompared) {
  for (std::size_t byte = 0; byte < 64; ++byte) {
    Case c = genuine_case();
    resign_td_report(c.report, node().seed(), [&](codec::TdReport& report) { report.report_data[byte] ^= 1; });
    const Ids failed = ids_in(c.judge(), State::kFail);
    EXPECT_EQ(failed, Ids{byte < 32 ? "report_data.identity" : "report_data.nonce"}) << byte;
  }
}

// P37: the signing key is not bound to the TLS key. A report without that binding is not enough where TLS is in use.
TEST(Pitfall, P37TheTlsKeyInUseMustBeBound) {
  Case c = genuine_case();
  c.expected.tls_spki_sha256.emplace().fill(0x11);
  EXPECT_EQ(ids_in(c.judge(), State::kFail), Ids{"report_data.tls"});
}

// P37: a genuine report is passed on by whoever sits in front of the TEE, so a caller who leaves the key out gets no yes.
TEST(Pitfall, P37ALeftOutTlsKeyIsNoYes) {
  ServiceCase c = native_case();
  ASSERT_EQ(c.judge_report().outcome(), Outcome::kAccepted) << "as a document";
  c.expected.no_connection = false;
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kUndetermined);
}

// P38: a verifier compares addresses as text, and services write them in different case.
TEST(Pitfall, P38AddressesAreComparedAsBytes) {
  Case c = genuine_case();
  std::string lower = c.report["signing_address"];
  for (char& ch : lower) ch = static_cast<char>(std::tolower(ch));
  ASSERT_NE(c.report["signing_address"], lower);
  set_member(c.report, "signing_address", lower);
  EXPECT_EQ(c.judge().outcome(), Outcome::kAccepted);
  EXPECT_EQ(judge(proof_of(c.report)).outcome(), Outcome::kAccepted);
}

// P44: a quote that was cached for hours answers the server's own nonce.
TEST(Pitfall, P44AReportForTheServersOwnNonceIsNotFresh) {
  Case c = genuine_case();
  c.expected.nonce.reset();
  EXPECT_EQ(c.judge().outcome(), Outcome::kUndetermined);
  ServiceCase native = native_case();
  native.expected.nonce.reset();
  EXPECT_EQ(native.judge_report().outcome(), Outcome::kUndetermined);
}

// P45: a verifier says "valid" although a check was skipped.
TEST(Pitfall, P45ASkippedCheckIsShownAndNotPassed) {
  Case c = genuine_case();
  c.expected.nonce.reset();
  const verify::Verdict verdict = c.judge();
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"report.nonce"});
  EXPECT_EQ(static_cast<int>(verdict.outcome()), 3);
}

// W13: a verifier says "verified" without the hashes, and without comparing the signer.
TEST(Weakness, W13HashesAndSignerAreNeverOptional) {
  const evidence::Proof proof = proof_of(node().report(test_ask()));
  verify::SignatureEvidence evidence{proof.signature, std::nullopt, proof.response,
                                     node().address(SigningAlgo::kEcdsa)};
  EXPECT_EQ(verify::verify_signature(evidence).outcome(), Outcome::kUndetermined);
  evidence = {proof.signature, proof.request, std::nullopt, node().address(SigningAlgo::kEcdsa)};
  EXPECT_EQ(verify::verify_signature(evidence).outcome(), Outcome::kUndetermined);
  evidence = {proof.signature, proof.request, proof.response, std::nullopt};
  EXPECT_EQ(verify::verify_signature(evidence).outcome(), Outcome::kUndetermined);
  evidence.attested_address = SimulatedNode(9, 1).address(SigningAlgo::kEcdsa);
  EXPECT_EQ(ids_in(verify::verify_signature(evidence), State::kFail), Ids{"signature.signer_attested"});
  evidence.attested_address = node().address(SigningAlgo::kEcdsa);
  EXPECT_EQ(verify::verify_signature(evidence).outcome(), Outcome::kAccepted);
}

// W14: a verifier accepts any signing address that stands next to a valid quote.
TEST(Weakness, W14AnAddressBesideAQuoteIsNotThereforeBound) {
  Case c = genuine_case();
  set_member(c.report, "signing_address", SimulatedNode(9, 1).address(SigningAlgo::kEcdsa));
  remove_member(c.report, "signing_public_key");
  EXPECT_EQ(ids_in(c.judge(), State::kFail), Ids{"report_data.identity"});
}

// W15: a verifier returns booleans, and success as the exit status whatever happened. Here the outcome is the exit
// status.
TEST(Weakness, W15TheOutcomeIsTheExitStatus) {
  Case c = genuine_case();
  EXPECT_EQ(static_cast<int>(c.judge().outcome()), 0);
  c.report["tee_type"] = "tdx";
  EXPECT_EQ(static_cast<int>(c.judge().outcome()), 1);
}

// W28: an empty list of allowed values means "skip" and passes.
TEST(Weakness, W28WithoutAnExpectedDigestTheModelDoesNotPass) {
  const verify::Verdict verdict = native_case().judge_report();
  EXPECT_EQ(verdict.find("report.model_digest")->state, State::kSkipped);
  EXPECT_EQ(verdict.find("report.policy_digest")->state, State::kSkipped);
}

// W33: a verifier accepts an image digest that nothing measured as an anchor.
TEST(Weakness, W33ProvenanceThatNothingMeasuredNeverPasses) {
  ServiceCase c = aci_case();
  c.report["attestation"]["source_provenance"]["image_digest"] = "sha256:" + std::string(64, '5');
  const verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.find("report.provenance")->state, State::kSkipped);
  EXPECT_TRUE(verdict.facts["claims"].contains("source_provenance"));
}

// W35: nothing bounds the end of a keyset's life.
TEST(Weakness, W35AKeysetForeverIsRefused) {
  Json keyset = service().keyset();
  keyset["not_after"] = kJudgedAt + std::int64_t{732} * 86400;
  ServiceCase c = aci_case();
  c.report = service().aci_report_around(keyset, evidence::statement_report_data(evidence::aci_statement(
                                                     *evidence::document_digest(keyset), test_nonce())));
  EXPECT_EQ(ids_in(c.judge_report(), State::kFail), Ids{"keyset.not_after"});
  c.policy.service.max_keyset_days = 732;
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
}

// W36: a verifier accepts a gateway's attestation in place of the model's.
TEST(Weakness, W36AGatewayDoesNotStandForItsModels) {
  Case c = genuine_case();
  const Json own = c.report;
  for (const Json& models : {Json(), Json::array()}) {
    c.report = wrapped_report(own, models);
    const verify::Verdict verdict = c.judge();
    EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"report.models"});
    EXPECT_TRUE(verify::attested_addresses(verdict).empty());
  }
}

}  // namespace
}  // namespace cloister::testing
