// The statements of a node about its known-answer tests (docs/spec/known-answers.md), in reports and receipts. Every
// change fails its own check. Nothing that the policy requires may be left out.
#include <gtest/gtest.h>

#include <functional>

#include "evidence/json_reader.h"
#include "evidence/known_answers_result.h"
#include "evidence/native_report.h"
#include "tests/simulator/expect_service_failing.h"

namespace cloister::testing {
namespace {

using evidence::KnownAnswersResult;
using verify::Outcome;
using verify::State;

constexpr const char* kReport = "model.known_answers";
constexpr const char* kReceipt = "receipt.known_answers";

KnownAnswersResult result() {
  KnownAnswersResult out;
  out.answers_digest.fill(0x11);
  out.model_digest = *evidence::document_digest(service().model());
  out.passed_at = kJudgedAt - 120;
  out.cases = 4;
  out.positions = 32;
  out.deviation = "0.001234";
  out.tolerance = "0.050000";
  return out;
}

void show(ServiceCase& c, const std::vector<KnownAnswersResult>& results) {
  c.report["known_answers"] = service().sign_known_answers(results);
}

// Enters them into the receipt, whose time is kJudgedAt - 60.
void enter(ServiceCase& c, const Json& known_answers) {
  c.receipt["event_log"][2]["known_answers"] = known_answers;
  c.receipt = service().sign(c.receipt);
}

ServiceCase tested_case() {
  ServiceCase c = native_case();
  show(c, {result()});
  enter(c, to_json(result()));
  return c;
}

State state_of(const verify::Verdict& verdict, const char* id) {
  EXPECT_NE(verdict.find(id), nullptr) << id;
  return verdict.find(id)->state;
}

KnownAnswersResult changed(const std::function<void(KnownAnswersResult&)>& change) {
  KnownAnswersResult out = result();
  change(out);
  return out;
}

TEST(KnownAnswers, AreAcceptedAndShown) {
  const ServiceCase c = tested_case();
  const verify::Verdict report = c.judge_report();
  EXPECT_EQ(report.outcome(), Outcome::kAccepted) << to_text(report, false);
  EXPECT_EQ(state_of(report, kReport), State::kPass);
  EXPECT_NE(report.find(kReport)->actual.find("0.001234"), std::string::npos);
  EXPECT_EQ(report.facts["known_answers"][0]["positions"], 32);
  const verify::Verdict receipt = c.judge_receipt();
  EXPECT_EQ(receipt.outcome(), Outcome::kAccepted) << to_text(receipt, false);
  EXPECT_EQ(state_of(receipt, kReceipt), State::kPass);
}

TEST(KnownAnswers, OfTheReportEveryChangeFails) {
  expect_service_failing(
      tested_case(), &ServiceCase::judge_report,
      {
          {"a result that was changed",
           [](ServiceCase& c) { c.report["known_answers"]["results"][0]["deviation"] = "0.000001"; },
           {kReport}},
          {"a time that was changed",
           [](ServiceCase& c) { c.report["known_answers"]["results"][0]["passed_at"] = kJudgedAt - 1; },
           {kReport}},
          {"signed by another TEE",
           [](ServiceCase& c) {
             c.report["known_answers"] = SimulatedService(SimulatedNode(7, 1)).sign_known_answers({result()});
           },
           {kReport}},
          {"a key that is not in the keyset",
           [](ServiceCase& c) { c.report["known_answers"] = service().sign_known_answers({result()}, "mine"); },
           {kReport}},
          {"a key of another role",
           [](ServiceCase& c) { c.report["known_answers"] = service().sign_known_answers({result()}, "e2ee-1"); },
           {kReport}},
          {"a key of another algorithm",
           [](ServiceCase& c) { c.report["known_answers"] = service().sign_known_answers({result()}, "legacy-1"); },
           {kReport}},
          {"another form", [](ServiceCase& c) { c.report["known_answers"]["more"] = 1; }, {kReport}},
          {"a deviation above its tolerance",
           [](ServiceCase& c) { show(c, {changed([](auto& r) { r.deviation = "0.050001"; })}); },
           {kReport}},
          {"of the future",
           [](ServiceCase& c) { show(c, {changed([](auto& r) { r.passed_at = kJudgedAt + 301; })}); },
           {kReport}},
      });
}

TEST(KnownAnswers, OfTheReceiptEveryChangeFails) {
  expect_service_failing(
      tested_case(), &ServiceCase::judge_receipt,
      {
          {"a result that was changed",
           [](ServiceCase& c) { c.receipt["event_log"][2]["known_answers"]["deviation"] = "0.000001"; },
           {"receipt.signature"}},
          {"another form",
           [](ServiceCase& c) {
             enter(c, {{"passed", true}});
           },
           {kReceipt}},
          {"nothing in its place", [](ServiceCase& c) { enter(c, Json()); }, {kReceipt}},
          {"a test of another model",
           [](ServiceCase& c) { enter(c, to_json(changed([](auto& r) { r.model_digest->fill(9); }))); },
           {kReceipt}},
          {"a test of no model",
           [](ServiceCase& c) { enter(c, to_json(changed([](auto& r) { r.model_digest.reset(); }))); },
           {kReceipt}},
          {"of the future",
           [](ServiceCase& c) { enter(c, to_json(changed([](auto& r) { r.passed_at = kJudgedAt + 241; }))); },
           {kReceipt}},
      });
}

TEST(KnownAnswers, OfANodeThatShowsNoneAreSkipped) {
  const ServiceCase c = native_case();
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kSkipped);
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kSkipped);
  EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kAccepted);
}

TEST(KnownAnswers, AnOldTestIsNoRecentOne) {
  ServiceCase c = tested_case();
  show(c, {changed([](auto& r) { r.passed_at = kJudgedAt - 3601; })});
  enter(c, to_json(changed([](auto& r) { r.passed_at = kJudgedAt - 60 - 3601; })));
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kSkipped);
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted) << "nobody asks";
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kSkipped);
  EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kAccepted);
}

TEST(KnownAnswers, ThatAPolicyDemandsAreDemandedOfReportAndReceipt) {
  using Change = std::function<void(verify::ServicePolicy&)>;
  const std::vector<std::pair<const char*, Change>> words = {
      {"required", [](auto& p) { p.require_known_answers = true; }},
      {"a document", [](auto& p) { p.known_answer_digests = {Bytes(32, 0x11)}; }},
      {"an age", [](auto& p) { p.max_known_answers_age_minutes = 2; }},
  };
  for (const auto& [name, demand] : words) {
    ServiceCase without = native_case();
    demand(without.policy.service);
    EXPECT_EQ(without.judge_report().outcome(), Outcome::kUndetermined) << name;
    EXPECT_EQ(without.judge_receipt().outcome(), Outcome::kUndetermined) << name;
    EXPECT_TRUE(without.judge_report().find(kReport)->required && without.judge_receipt().find(kReceipt)->required)
        << name;
    ServiceCase with = tested_case();
    demand(with.policy.service);
    EXPECT_EQ(with.judge_report().outcome(), Outcome::kAccepted) << name << to_text(with.judge_report(), false);
    EXPECT_EQ(with.judge_receipt().outcome(), Outcome::kAccepted) << name << to_text(with.judge_receipt(), false);
    // The receipt names the test before its reply. The report names another test.
    show(with, {changed([](auto& r) { r.passed_at = kJudgedAt - 3601; })});
    EXPECT_EQ(with.judge_report().outcome(), Outcome::kUndetermined) << name;
    EXPECT_EQ(with.judge_receipt().outcome(), Outcome::kAccepted) << name;
  }
}

TEST(KnownAnswers, OfAnotherDocumentOrTooOldAreNotThoseThatAPolicyNames) {
  ServiceCase c = tested_case();
  c.policy.service.known_answer_digests = {Bytes(32, 0x12)};
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kFail);
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kFail);
  c = tested_case();
  c.policy.service.max_known_answers_age_minutes = 1;
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kSkipped) << "120 s";
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kUndetermined);
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kPass) << "60 s before the reply";
  c.policy.service.max_known_answers_age_minutes = 0;
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kFail);
  c = tested_case();
  c.policy.service.max_known_answers_age_minutes = 61;
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
  EXPECT_EQ(native_case().judge_report().outcome(), Outcome::kAccepted);
}

TEST(KnownAnswers, AreOfTheModelThatTheStatementNames) {
  ServiceCase c = tested_case();
  show(c, {changed([](auto& r) { r.model_digest->fill(9); }), changed([](auto& r) { r.model_digest.reset(); })});
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kSkipped);
  show(c, {changed([](auto& r) { r.model_digest->fill(9); }), result()});
  EXPECT_EQ(state_of(c.judge_report(), kReport), State::kPass);
}

// Only the quote proves who signed.
TEST(KnownAnswers, CountOnlyUnderAKeysetThatTheQuoteBinds) {
  ServiceCase c = tested_case();
  c.report["statement"]["nonce"] = std::string(64, '0');
  const verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(state_of(verdict, kReport), State::kSkipped);
  EXPECT_FALSE(verdict.facts.contains("known_answers"));
}

TEST(KnownAnswers, OfAReceiptThatCannotBeReadAreSkipped) {
  ServiceCase c = tested_case();
  c.receipt["api_version"] = "aci/2";
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kSkipped);
  c = tested_case();
  c.receipt["event_log"].erase(2);
  c.receipt["event_log"].erase(1);
  c.receipt = service().sign(c.receipt);
  EXPECT_EQ(state_of(c.judge_receipt(), kReceipt), State::kNotApplicable) << "a refusal";
}

}  // namespace
}  // namespace cloister::testing
