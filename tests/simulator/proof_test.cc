// A saved proof is verified again: request, reply, signature and report together.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/proof.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"
#include "verify/signature.h"

namespace cloister::testing {
namespace {

using evidence::Proof;
using evidence::SigningAlgo;
using verify::Outcome;
using verify::State;

constexpr std::string_view kRequest = R"({"model":"m","stream":true})";
constexpr std::string_view kResponse = "data: {\"x\":\"\xc3\xa9\"}\n\ndata: [DONE]\n\n";
const verify::Policy kAcceptSimulator{.accept_simulator = true, .service = {.accept_no_node_policy = true}};

Proof genuine_proof(SigningAlgo algo) {
  Ask ask = test_ask();
  ask.algo = algo;
  Proof proof;
  proof.url = "http://127.0.0.1:8080";
  proof.time = kJudgedAt;
  proof.nonce_hex = node().report(ask)["request_nonce"];
  proof.request = to_bytes(as_bytes(kRequest));
  proof.response = to_bytes(as_bytes(kResponse));
  proof.signature = node().sign(algo, kRequest, kResponse);
  proof.report = codec::write_json(node().report(ask));
  return proof;
}

class Proofs : public ::testing::TestWithParam<SigningAlgo> {};
INSTANTIATE_TEST_SUITE_P(Both, Proofs, ::testing::Values(SigningAlgo::kEcdsa, SigningAlgo::kEd25519));

TEST_P(Proofs, AGenuineOneIsAcceptedAfterItWasWrittenAndRead) {
  const auto proof = evidence::parse_proof(evidence::write_proof(genuine_proof(GetParam())));
  ASSERT_TRUE(proof) << proof.error().message;
  const verify::Verdict verdict = verify::verify_proof(*proof, test_nonce(), {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
  EXPECT_EQ(ids_in(verify::verify_proof(*proof, test_nonce(), {{}, {}, kJudgedAt}), State::kFail),
            Ids{"tee.simulator"});
}

// The person who makes a proof chooses the nonce in it.
TEST_P(Proofs, ItsOwnNonceDoesNotMakeItFresh) {
  const Proof proof = genuine_proof(GetParam());
  verify::Verdict verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), (Ids{"report.nonce", "report_data.nonce", "nvidia.payload.nonce"}));
  EXPECT_EQ(verdict.facts["file_says"]["nonce"], to_hex(test_nonce()));
  evidence::Nonce other = test_nonce();
  other[0] ^= 1;
  verdict = verify::verify_proof(proof, other, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  verify::Policy policy = kAcceptSimulator;
  policy.require_nonce = false;
  EXPECT_EQ(verify::verify_proof(proof, std::nullopt, {policy, {}, kJudgedAt}).outcome(), Outcome::kAccepted);
}

TEST_P(Proofs, EveryTamperingFailsItsOwnCheck) {
  struct Change {
    const char* name;
    std::function<void(Proof&)> change;
    Ids failing;
  };
  const SimulatedNode attacker(9, 1);
  const std::vector<Change> table = {
      {"request", [](Proof& p) { p.request[3] ^= 1; }, {"signature.request_hash"}},
      {"response", [](Proof& p) { p.response[3] ^= 1; }, {"signature.response_hash"}},
      {"signed by another",
       [&](Proof& p) { p.signature = attacker.sign(GetParam(), kRequest, kResponse); },
       {"signature.signer_attested"}},
      {"nonce",
       [](Proof& p) { p.nonce_hex[0] = p.nonce_hex[0] == '1' ? '2' : '1'; },
       {"report.nonce", "report_data.nonce", "nvidia.payload.nonce", "nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"}},
      {"nonce malformed", [](Proof& p) { p.nonce_hex = "zz"; }, {"proof.form"}},
      {"report cut", [](Proof& p) { p.report.pop_back(); }, {"report.form"}},
      {"report of the other algorithm",
       [&](Proof& p) {
         p.report =
             genuine_proof(GetParam() == SigningAlgo::kEcdsa ? SigningAlgo::kEd25519 : SigningAlgo::kEcdsa).report;
       },
       {"signature.signer_attested"}},
  };
  for (const Change& change : table) {
    Proof proof = genuine_proof(GetParam());
    change.change(proof);
    const verify::Verdict verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << change.name;
    EXPECT_EQ(ids_in(verdict, State::kFail), change.failing) << change.name << "\n" << to_text(verdict, false);
  }
}

// The attacker signs with another key and writes its address into a genuine report.
TEST_P(Proofs, AnAddressThatTheQuoteDoesNotBindIsNotTakenAsAttested) {
  const SimulatedNode attacker(9, 1);
  Ask ask = test_ask();
  ask.algo = GetParam();
  Json report = node().report(ask);
  set_member(report, "signing_address", attacker.address(GetParam()));
  remove_member(report, "signing_public_key");
  Proof proof = genuine_proof(GetParam());
  proof.signature = attacker.sign(GetParam(), kRequest, kResponse);
  proof.report = codec::write_json(report);
  const verify::Verdict verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verify::attested_address(verdict), std::nullopt);
  EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"report_data.identity"});
  EXPECT_EQ(verdict.find("signature.signer_attested")->state, State::kSkipped);
}

// The proof was saved over TLS. The report binds the key of the channel, and the proof says which key the client saw.
TEST_P(Proofs, OverTlsTheKeyThatWasSeenMustBeTheOneBound) {
  Ask ask = test_ask();
  ask.algo = GetParam();
  ask.tls_spki_sha256.emplace().fill(0x11);
  Proof proof = genuine_proof(GetParam());
  proof.report = codec::write_json(node().report(ask));
  proof.tls_spki_sha256 = ask.tls_spki_sha256;
  const auto read = evidence::parse_proof(evidence::write_proof(proof));
  ASSERT_TRUE(read) << read.error().message;
  verify::Policy policy = kAcceptSimulator;
  EXPECT_EQ(verify::verify_proof(*read, test_nonce(), {policy, {}, kJudgedAt}).outcome(), Outcome::kUndetermined)
      << "of unknown origin";
  policy.service.accept_unproven_tls_keys = true;
  verify::Verdict verdict = verify::verify_proof(*read, test_nonce(), {policy, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("report_data.tls")->state, State::kSkipped) << "that this key was seen, only the proof says";
  proof.tls_spki_sha256->at(0) ^= 1;
  verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"report_data.tls"});
  proof.report = genuine_proof(GetParam()).report;  // this report was made without the binding
  verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"report_data.tls"});
}

TEST_P(Proofs, WithoutReportOrNonceIsUndetermined) {
  Proof proof = genuine_proof(GetParam());
  proof.nonce_hex.clear();
  verify::Verdict verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"report.nonce"});
  proof.report.clear();
  verdict = verify::verify_proof(proof, std::nullopt, {kAcceptSimulator, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"signature.signer_attested"});
}

// A signed text names neither model nor configuration, and its key outlives restarts.
TEST_P(Proofs, WhatThePolicyPinsOfTheReplyNoSignatureShows) {
  const Proof proof = genuine_proof(GetParam());
  for (const char* id : {"signature.model_digest", "signature.policy_digest"}) {
    verify::Policy policy = kAcceptSimulator;
    (std::string_view(id) == "signature.model_digest" ? policy.service.model_digests
                                                      : policy.service.policy_digests) = {Bytes(32, 7)};
    const verify::Verdict verdict = verify::verify_proof(proof, test_nonce(), {policy, {}, kJudgedAt});
    ASSERT_NE(verdict.find(id), nullptr);
    EXPECT_EQ(verdict.find(id)->state, State::kSkipped);
    EXPECT_TRUE(verdict.find(id)->required);
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  }
  verify::Policy policy = kAcceptSimulator;
  policy.service.model_manifest.emplace();
  EXPECT_NE(verify::verify_proof(proof, test_nonce(), {policy, {}, kJudgedAt}).find("signature.model_digest"), nullptr);
  EXPECT_EQ(verify::verify_proof(proof, test_nonce(), {kAcceptSimulator, {}, kJudgedAt}).find("signature.model_digest"),
            nullptr);
}

// A missing member must not help. The document of a Cloister node may have been left out.
TEST_P(Proofs, AReportWithoutAPolicyDocumentIsUndetermined) {
  const verify::Policy policy{.accept_simulator = true};
  const verify::Verdict verdict =
      verify::verify_proof(genuine_proof(GetParam()), test_nonce(), {policy, {}, kJudgedAt});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("policy.document")->state, State::kSkipped);
}

}  // namespace
}  // namespace cloister::testing
