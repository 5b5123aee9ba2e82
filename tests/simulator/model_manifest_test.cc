// A report is compared with the manifest of a model (docs/spec/model-identity.md). Its own check names each difference.
#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/model_identity.h"
#include "evidence/native_report.h"
#include "tee/simulator/simulator.h"
#include "tests/simulator/expect_service_failing.h"

namespace cloister::testing {
namespace {

using evidence::ModelIdentity;
using verify::Outcome;
using verify::State;

ModelIdentity manifest() {
  ModelIdentity model;
  model.id = "demo";
  model.engine = {"llama.cpp", "0.1.0", "de3ff815", "cpu", "x86-64-v3"};
  evidence::WeightFile first{"demo-00001-of-00002.gguf", 1 << 20, {}}, second{"demo-00002-of-00002.gguf", 7, {}};
  first.digest.fill(1);
  second.digest.fill(2);
  model.weights = evidence::Weights{evidence::weights_digest({first, second}), {first, second}, true};
  model.tokenizer_digest.emplace().fill(3);
  model.chat_template_digest.emplace().fill(4);
  model.architecture = "llama";
  model.quantization = "Q4_1";
  model.parameters = 134515008;
  model.context_length = 4096;
  model.settings = {{"parallel", 16}, {"threads", 2}, {"share_prompt_cache", false}};
  return model;
}

// Returns a genuine report of a node that serves this model.
Json report_of(const Json& document) {
  evidence::NativeStatement statement = service().statement(test_nonce(), std::nullopt);
  statement.model_digest = *evidence::document_digest(document);
  Json report = service().native_report_around(statement, std::nullopt);
  report["model"] = document;
  return report;
}

ServiceCase case_of(const Json& document) {
  ServiceCase c = native_case();
  c.report = report_of(document);
  c.policy.service.model_manifest = manifest();
  return c;
}

TEST(ModelManifest, TheModelThatWasPublishedIsAccepted) {
  const verify::Verdict verdict = case_of(to_json(manifest())).judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  for (const char* id :
       {"model.document", "model.id", "model.engine", "model.weights", "model.memory", "model.tokenizer",
        "model.chat_template", "model.architecture", "model.quantization", "model.context", "model.settings"}) {
    ASSERT_NE(verdict.find(id), nullptr) << id;
    EXPECT_EQ(verdict.find(id)->state, State::kPass) << id;
  }
  EXPECT_EQ(verdict.find("model.claims")->state, State::kNotApplicable);
}

TEST(ModelManifest, TheDigestAloneIsEnoughWhereItIsTheSame) {
  ServiceCase c = case_of(to_json(manifest()));
  c.report.erase("model");
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
}

TEST(ModelManifest, NamesOfFilesAndMoreThanWasAskedForAreNoDifference) {
  ModelIdentity served = manifest();
  served.weights->files[0].name = "other-00001-of-00002.gguf";
  EXPECT_EQ(case_of(to_json(served)).judge_report().outcome(), Outcome::kAccepted);
  ServiceCase c = case_of(to_json(manifest()));
  c.policy.service.model_manifest->weights->locked = false;
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
}

TEST(ModelManifest, EachMemberHasItsOwnCheck) {
  const evidence::ModelClaim claim{"asserted", "operator_asserted", "hearsay", std::nullopt};
  const std::vector<std::pair<std::string, std::function<void(ModelIdentity&)>>> changes = {
      {"model.id", [](ModelIdentity& m) { m.id = "other"; }},
      {"model.engine", [](ModelIdentity& m) { m.engine.commit = "00000000"; }},
      {"model.engine", [](ModelIdentity& m) { m.engine.cloister = "0.0.1"; }},
      {"model.weights",
       [](ModelIdentity& m) {
         m.weights->files[1].digest.fill(9);
         m.weights->digest = evidence::weights_digest(m.weights->files);
       }},
      {"model.weights",
       [](ModelIdentity& m) {
         m.weights->files.pop_back();
         m.weights->digest = evidence::weights_digest(m.weights->files);
       }},
      {"model.memory", [](ModelIdentity& m) { m.weights->locked = false; }},
      {"model.tokenizer", [](ModelIdentity& m) { m.tokenizer_digest->fill(9); }},
      {"model.chat_template", [](ModelIdentity& m) { m.chat_template_digest->fill(9); }},
      {"model.architecture", [](ModelIdentity& m) { m.architecture = "gpt2"; }},
      {"model.architecture", [](ModelIdentity& m) { m.parameters = 1; }},
      {"model.quantization", [](ModelIdentity& m) { m.quantization = "Q2_K"; }},
      {"model.context", [](ModelIdentity& m) { m.context_length = 512; }},
      {"model.settings", [](ModelIdentity& m) { m.settings["threads"] = 4; }},
      {"model.settings", [](ModelIdentity& m) { m.settings.erase("parallel"); }},
      {"model.settings", [](ModelIdentity& m) { m.settings["hidden"] = true; }},
      {"model.claims", [&](ModelIdentity& m) { m.claims["weights"] = claim; }},
  };
  for (const auto& [id, change] : changes) {
    ModelIdentity served = manifest();
    change(served);
    const verify::Verdict verdict = case_of(to_json(served)).judge_report();
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << id;
    EXPECT_EQ(ids_in(verdict, State::kFail), Ids{id}) << to_text(verdict, false);
    EXPECT_NE(verdict.find(id)->expected, verdict.find(id)->actual) << id;
    EXPECT_FALSE(verdict.find(id)->actual.empty()) << id;
  }
  ServiceCase claims = case_of(to_json(manifest()));
  ModelIdentity with_claim = manifest();
  with_claim.claims["weights"] = claim;
  claims.report = report_of(to_json(with_claim));
  claims.policy.service.model_manifest = with_claim;
  EXPECT_EQ(claims.judge_report().find("model.claims")->state, State::kPass);
}

TEST(ModelManifest, NoOtherTwoFilesLookLikeTheSame) {
  ModelIdentity served = manifest();
  served.weights->files[1].size = 8;
  const verify::Verdict verdict = case_of(to_json(served)).judge_report();
  EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"model.weights"});
  EXPECT_NE(verdict.find("model.weights")->detail.find("file 2 of 2"), std::string::npos);
}

TEST(ModelManifest, ADescriptionThatNoQuoteBindsProvesNothing) {
  ModelIdentity cheap = manifest();
  cheap.quantization = "Q2_K";
  ServiceCase c = case_of(to_json(cheap));
  c.report["model"] = to_json(manifest());  // the attacker's document next to a genuine quote
  verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(ids_in(verdict, State::kFail), (Ids{"model.document", "report.model_digest"}));
  EXPECT_EQ(verdict.find("model.weights")->state, State::kSkipped);

  c = case_of({{"name", "demo"}});
  verdict = c.judge_report();
  EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"model.document"}) << "of another form";
}

// A manifest that is compared with nothing never leads to acceptance.
TEST(ModelManifest, AReportThatNamesNoModelIsUndeterminedAtBest) {
  ServiceCase c = case_of(to_json(manifest()));
  c.report = service().native_report(test_nonce(), false);
  c.report.erase("model");
  verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("model.document")->state, State::kSkipped);

  ServiceCase aci = aci_case();
  EXPECT_NE(aci.judge_report().outcome(), Outcome::kRejected);
  aci.policy.service.model_manifest = manifest();
  verdict = aci.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("model.document")->state, State::kSkipped);
  EXPECT_EQ(aci.judge_receipt().find("model.document")->state, State::kSkipped);

  Case legacy = genuine_case(test_ask());
  legacy.policy.service.model_manifest = manifest();
  EXPECT_EQ(legacy.judge().outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verify::verify_report("{}", {}, {legacy.policy, {}, kJudgedAt}).find("model.document")->state,
            State::kSkipped);
}

TEST(ModelManifest, TheMeasuredEventMustBeOfTheModel) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, 5));
  const auto tee = tee::make_insecure_simulator(std::move(options));
  ASSERT_TRUE(tee);
  const Json document = to_json(manifest());
  const ByteArray<32> digest = *evidence::document_digest(document);
  const auto judged = [&](
                          const Json& served, const std::function<void(Json&)>& change = [](Json&) {}) {
    ServiceCase c = case_of(served);
    evidence::NativeStatement statement = service().statement(test_nonce(), std::nullopt);
    statement.model_digest = *evidence::document_digest(served);
    const std::string text = evidence::native_statement(statement);
    c.report["quote"] = to_hex(*(*tee)->quote(evidence::statement_report_data(text)));
    Json log = evidence::event_log_json(*(*tee)->event_log());
    change(log);
    c.report["event_log"] = codec::write_json(log);
    return c.judge_report();
  };
  EXPECT_EQ(judged(document).find("model.event")->state, State::kNotApplicable) << "nothing was measured yet";
  ASSERT_TRUE((*tee)->extend_event("cloister-model", Bytes(32, 7)));
  EXPECT_EQ(judged(document).find("model.event")->state, State::kFail);
  EXPECT_EQ(judged(document).outcome(), Outcome::kRejected);
  ASSERT_TRUE((*tee)->extend_event("cloister-model", digest));
  const verify::Verdict verdict = judged(document);
  EXPECT_EQ(verdict.find("model.event")->state, State::kPass);
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["model_events"],
            Json::array({"sha256:" + to_hex(Bytes(32, 7)), evidence::digest_text(digest)}));

  // The same holds for the configuration.
  EXPECT_EQ(verdict.find("policy.event")->state, State::kNotApplicable);
  ASSERT_TRUE((*tee)->extend_event("cloister-policy", Bytes(32, 8)));
  EXPECT_EQ(judged(document).find("policy.event")->state, State::kFail);
  const ByteArray<32> policy_digest = *evidence::document_digest(service().policy());
  ASSERT_TRUE((*tee)->extend_event("cloister-policy", policy_digest));
  EXPECT_EQ(judged(document).find("policy.event")->state, State::kPass);
  EXPECT_EQ(judged(document).facts["policy_events"],
            Json::array({"sha256:" + to_hex(Bytes(32, 8)), evidence::digest_text(policy_digest)}));

  // Nothing is read from a log other than the measured one.
  const verify::Verdict cut = judged(document, [](Json& log) { log.erase(log.size() - 1); });
  for (const char* id : {"model.event", "policy.event"}) EXPECT_EQ(cut.find(id)->state, State::kSkipped) << id;
  EXPECT_FALSE(cut.facts.contains("policy_events"));
}

}  // namespace
}  // namespace cloister::testing
