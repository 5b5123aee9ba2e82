// Answers that hold several reports: those of instances behind one address, and those that gateways serve.
#include <gtest/gtest.h>

#include "codec/json.h"
#include "tests/simulator/expect_service_failing.h"
#include "tests/simulator/forgery.h"
#include "verify/signature.h"

namespace cloister::testing {
namespace {

constexpr evidence::SigningAlgo kEcdsa = evidence::SigningAlgo::kEcdsa;
using verify::Outcome;
using verify::State;

const SimulatedNode& gateway_node() {
  static const SimulatedNode node(3, 1);
  return node;
}

const SimulatedNode& second_node() {
  static const SimulatedNode node(2, 1);
  return node;
}

Json gateway_report(const Ask& ask = test_ask()) {
  Ask own = ask;
  own.gpu = false;
  Json report = gateway_node().report(own);
  report.erase("all_attestations");
  return report;
}

Json alone(Json report) {
  report.erase("all_attestations");
  return report;
}

Case wrapped_case() {
  Case out = genuine_case();
  const Json models = Json::array({node().report(test_ask()), second_node().report(test_ask())});
  out.report = wrapped_report(gateway_report(), models);
  return out;
}

Ids under(const std::string& place, const Ids& ids) {
  Ids out;
  for (const std::string& id : ids) out.insert(place + "." + id);
  return out;
}

TEST(Instances, EveryOtherOneIsJudgedAsWhatItIs) {
  Case c = genuine_case();
  c.report["all_attestations"].push_back(alone(second_node().report(test_ask())));
  const verify::Verdict verdict = c.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  ASSERT_NE(verdict.find("instance.1.tdx.quote.signature"), nullptr);
  EXPECT_EQ(verdict.find("instance.1.nvidia.gpu.0.nonce")->state, State::kPass);
  EXPECT_EQ(verdict.find("instance.0.report.form"), nullptr);  // the report itself
  EXPECT_EQ(verdict.facts["instances"][0]["signing_address"], second_node().address(kEcdsa));
  EXPECT_EQ(verify::attested_addresses(verdict),
            (std::vector<std::string>{node().address(kEcdsa), second_node().address(kEcdsa)}));
  EXPECT_EQ(verify::attested_address(verdict), node().address(kEcdsa));
}

TEST(Instances, ABadOneFailsTheReport) {
  struct Change {
    const char* name;
    std::function<void(Json&)> edit;
    Ids failing;
  };
  const std::vector<Change> table = {
      {"no report", [](Json& r) { r = Json::object(); }, {"report.form"}},
      {"named as real", [](Json& r) { r["tee_type"] = "tdx"; }, {"report.tee_type"}},
      {"another's address",
       [](Json& r) {
         r["signing_address"] = node().address(kEcdsa);
         r.erase("signing_public_key");
       },
       {"report_data.identity"}},
      {"old", [](Json& r) { r["request_nonce"] = std::string(64, '0'); }, {"report.nonce"}},
      {"a list in the list", [](Json& r) { r["all_attestations"] = Json::array({r}); }, {"report.all_attestations"}},
  };
  for (const Change& change : table) {
    Case c = genuine_case();
    Json other = alone(second_node().report(test_ask()));
    change.edit(other);
    c.report["all_attestations"].push_back(other);
    const verify::Verdict verdict = c.judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << change.name;
    EXPECT_EQ(ids_in(verdict, State::kFail), under("instance.1", change.failing)) << to_text(verdict, false);
  }
}

TEST(Instances, AReplyMayBeSignedByAnyOfThem) {
  Case c = genuine_case();
  c.report["all_attestations"].push_back(alone(second_node().report(test_ask())));
  evidence::Proof proof;
  proof.time = kJudgedAt;
  proof.nonce_hex = c.report["request_nonce"];
  proof.request = to_bytes(as_bytes("{}"));
  proof.response = to_bytes(as_bytes("ok"));
  proof.report = codec::write_json(c.report);
  for (const SimulatedNode* signer : {&node(), &second_node(), &gateway_node()}) {
    proof.signature = signer->sign(kEcdsa, "{}", "ok");
    const verify::Verdict verdict = verify::verify_proof(proof, test_nonce(), {c.policy, {}, kJudgedAt});
    const bool listed = signer != &gateway_node();
    EXPECT_EQ(verdict.outcome(), listed ? Outcome::kAccepted : Outcome::kRejected) << to_text(verdict, false);
    EXPECT_EQ(ids_in(verdict, State::kFail), listed ? Ids{} : Ids{"signature.signer_attested"});
  }
}

TEST(Wrapped, AGatewayAndItsModelsAreJudgedEachAsWhatItIs) {
  const verify::Verdict verdict = wrapped_case().judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  for (const char* id :
       {"gateway.report_data.identity", "model.0.report_data.identity", "model.1.nvidia.gpu.0.nonce"}) {
    ASSERT_NE(verdict.find(id), nullptr) << id;
    EXPECT_EQ(verdict.find(id)->state, State::kPass) << id;
  }
  EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
  EXPECT_EQ(verdict.facts["gateway"]["signing_address"], gateway_node().address(kEcdsa));
  // These are the models' addresses, and never the gateway's.
  EXPECT_EQ(verify::attested_addresses(verdict),
            (std::vector<std::string>{node().address(kEcdsa), second_node().address(kEcdsa)}));
  EXPECT_EQ(verify::attested_address(verdict), std::nullopt);
}

TEST(Wrapped, EveryChangeFailsWhereItIs) {
  const std::vector<Tampering> table = {
      {"gateway named as real",
       [](Case& c) { c.report["gateway_attestation"]["tee_type"] = "tdx"; },
       {"gateway.report.tee_type"}},
      {"gateway of another nonce",
       [](Case& c) { c.report["gateway_attestation"]["request_nonce"] = std::string(64, '0'); },
       {"gateway.report.nonce"}},
      {"model of another nonce",
       [](Case& c) { set_member(c.report["model_attestations"][1], "request_nonce", std::string(64, '0')); },
       {"model.1.report.nonce"}},
      {"a model that is none", [](Case& c) { c.report["model_attestations"].push_back("x"); }, {"model.2.report.form"}},
      {"models that are no list", [](Case& c) { c.report["model_attestations"] = "x"; }, {"report.form"}},
      {"a gateway as a model",
       [](Case& c) { c.report["model_attestations"][0] = wrapped_report(gateway_report(), Json::array()); },
       {"model.0.report.form"}},
      {"too many",
       [](Case& c) {
         for (int i = 0; i < 33; ++i) c.report["model_attestations"].push_back(c.report["model_attestations"][0]);
       },
       {"report.form"}},
      {"the channel ends elsewhere",
       [](Case& c) { c.expected.tls_spki_sha256.emplace().fill(0x11); },
       {"gateway.report_data.tls"}},
      {"two kinds in one", [](Case& c) { c.report["intel_quote"] = "00"; }, {"report.form"}},
  };
  for (const Tampering& tampering : table) {
    Case c = wrapped_case();
    tampering.change(c);
    const verify::Verdict verdict = c.judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << tampering.name;
    EXPECT_EQ(ids_in(verdict, State::kFail), tampering.failing) << tampering.name << "\n" << to_text(verdict, false);
  }
}

TEST(Wrapped, WithoutAGatewaysReportTheChannelIsNotKnown) {
  Case c = wrapped_case();
  c.report.erase("gateway_attestation");
  EXPECT_EQ(c.judge().outcome(), Outcome::kAccepted);
  c.expected.tls_spki_sha256.emplace().fill(0x11);
  const verify::Verdict verdict = c.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("report_data.tls")->state, State::kSkipped);
}

TEST(Wrapped, TheGatewaysTlsKeyIsBoundByItsOwnQuote) {
  Case c = wrapped_case();
  Ask ask = test_ask();
  ask.tls_spki_sha256.emplace().fill(0x11);
  c.report["gateway_attestation"] = gateway_report(ask);
  c.expected.tls_spki_sha256 = ask.tls_spki_sha256;
  EXPECT_EQ(c.judge().outcome(), Outcome::kUndetermined) << "nobody says where the key was made";
  c.policy.service.accept_unproven_tls_keys = true;
  const verify::Verdict verdict = c.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("gateway.report_data.tls")->state, State::kPass);
}

}  // namespace
}  // namespace cloister::testing
