// Tests the comparison, the trial, the schedule and the recorder of known answers with replies that the test makes itself.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "codec/json.h"
#include "engine/known_answers/judge.h"
#include "engine/known_answers/record.h"
#include "engine/known_answers/recorder.h"
#include "engine/known_answers/schedule.h"
#include "engine/known_answers/trial.h"
#include "engine/known_answers/watch.h"

namespace cloister::engine {
namespace {

using namespace std::chrono_literals;
using evidence::KnownAnswers;
using evidence::KnownCase;

// Token i is "t<i>" with -0.1; the others are less probable.
Json token(int i, double shift = 0) {
  Json top = Json::array();
  for (int k = 0; k < 10; ++k)
    top.push_back({{"token", (k == 0 ? "t" : "o" + std::to_string(k) + "_") + std::to_string(i)},
                   {"logprob", k == 0 ? -0.1 + shift : -2.0 - k}});
  return {{"token", "t" + std::to_string(i)}, {"logprob", -0.1 + shift}, {"bytes", nullptr}, {"top_logprobs", top}};
}

Json reply(int tokens) {
  Json list = Json::array();
  std::string text;
  for (int i = 0; i < tokens; ++i) {
    list.push_back(token(i));
    text += "t" + std::to_string(i);
  }
  const Json choice = {{"index", 0},
                       {"message", {{"role", "assistant"}, {"content", text}}},
                       {"logprobs", {{"content", list}}},
                       {"finish_reason", "length"}};
  return {{"choices", Json::array({choice})}, {"usage", {{"completion_tokens", tokens}}}};
}

KnownCase known_case(int tokens) {
  KnownCase out;
  out.messages = {{"user", "the secret words of a prompt"}};
  const Json from = reply(tokens);
  out.content = from["choices"][0]["message"]["content"].get<std::string>();
  for (const Json& position : from["choices"][0]["logprobs"]["content"]) {
    std::vector<evidence::TokenChance> alternatives;
    for (int k = 0; k < 5; ++k)
      alternatives.push_back({position["top_logprobs"][k]["token"], position["top_logprobs"][k]["logprob"]});
    out.tokens.push_back(alternatives);
  }
  return out;
}

KnownAnswers answers() {
  KnownAnswers out;
  out.model_id = "demo";
  out.engine = "test";
  out.tolerance = 0.05;
  out.cases = {known_case(8), known_case(8), known_case(8)};
  return out;
}

Json& content(Json& body) { return body["choices"][0]["logprobs"]["content"]; }

TEST(KnownAnswersJudge, TheSameReplyIsTheSame) {
  const Comparison same = compare_answer(known_case(8), 0.05, reply(8).dump());
  EXPECT_EQ(same.fault, "");
  EXPECT_EQ(same.positions, 8u);
  EXPECT_EQ(same.difference, 0);
}

TEST(KnownAnswersJudge, SmallDifferencesAreMeasured) {
  Json near = reply(8);
  content(near)[3] = token(3, -0.1);
  const Comparison found = compare_answer(known_case(8), 0.05, near.dump());
  EXPECT_EQ(found.fault, "");
  EXPECT_NEAR(found.difference, std::exp(-0.1) * 0.1, 1e-9) << "weighed with its probability";
  // A recorded alternative that became less probable than all named in the reply, but perhaps only slightly.
  Json gone = reply(8);
  for (int k = 4; k < 10; ++k)
    content(gone)[0]["top_logprobs"][k] = {{"token", "x" + std::to_string(k)}, {"logprob", -6.1}};
  EXPECT_EQ(compare_answer(known_case(8), 0.05, gone.dump()).fault, "");
}

TEST(KnownAnswersJudge, EveryOtherReplyIsAFault) {
  using Change = std::function<void(Json&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"another token", [](Json& r) { content(r)[2]["token"] = "other"; }},
      {"another token in the list",
       [](Json& r) {
         content(r)[2]["top_logprobs"][1]["token"] = "other";
         content(r)[2]["top_logprobs"][9]["logprob"] = -40.0;
       }},
      {"a choice that is less probable", [](Json& r) { content(r)[2] = token(2, -0.3); }},
      {"a list that does not fit the choice", [](Json& r) { content(r)[2]["logprob"] = -0.5; }},
      {"a log probability that is null", [](Json& r) { content(r)[7]["logprob"] = nullptr; }},
      {"a log probability that is text", [](Json& r) { content(r)[7]["logprob"] = "-0.1"; }},
      {"a log probability above zero", [](Json& r) { content(r)[7]["logprob"] = 0.1; }},
      {"an alternative's that is null", [](Json& r) { content(r)[7]["top_logprobs"][4]["logprob"] = nullptr; }},
      {"no alternatives", [](Json& r) { content(r)[7]["top_logprobs"] = Json::array(); }},
      {"too few alternatives",
       [](Json& r) {
         content(r)[7]["top_logprobs"].erase(1);
         for (int i = 0; i < 5; ++i) content(r)[7]["top_logprobs"].erase(4);
       }},
      {"no log probabilities", [](Json& r) { r["choices"][0]["logprobs"] = nullptr; }},
      {"log probabilities of nothing", [](Json& r) { content(r) = Json::array(); }},
      {"a short reply", [](Json& r) { content(r).erase(7); }},
      {"a long reply", [](Json& r) { content(r).push_back(token(8)); }},
      {"another count", [](Json& r) { r["usage"]["completion_tokens"] = 9; }},
      {"another text", [](Json& r) { r["choices"][0]["message"]["content"] = "garbage"; }},
      {"no text", [](Json& r) { r["choices"][0]["message"]["content"] = nullptr; }},
      {"no message", [](Json& r) { r["choices"][0].erase("message"); }},
      {"two choices", [](Json& r) { r["choices"].push_back(r["choices"][0]); }},
      {"no choices", [](Json& r) { r["choices"] = Json::array(); }},
      {"an error",
       [](Json& r) {
         r = {{"error", {{"message", "the secret words of a prompt"}}}};
       }},
  };
  for (const auto& [name, change] : changes) {
    Json changed = reply(8);
    change(changed);
    const Comparison found = compare_answer(known_case(8), 0.05, changed.dump());
    EXPECT_NE(found.fault, "") << name;
    EXPECT_EQ(found.fault.find("secret"), std::string::npos) << name;
    EXPECT_EQ(found.fault.find("t2"), std::string::npos) << name;
  }
  for (const char* text : {"", "[]", "{\"choices\":[{\"logprob\":NaN}]}"})
    EXPECT_NE(compare_answer(known_case(8), 0.05, text).fault, "") << text;
}

// Answers with as many tokens as are asked for, and keeps the bodies.
struct Machine {
  std::mutex mutex;
  std::vector<Json> bodies;
  std::function<Result<std::string>(const Json& body, std::size_t number)> answer =
      [](const Json& body, std::size_t) -> Result<std::string> { return reply(body["max_tokens"].get<int>()).dump(); };
  Ask ask() {
    return [this](const std::string& text) {
      const Json body = *codec::parse_json(text);
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex);
        bodies.push_back(body);
        number = bodies.size();
      }
      return answer(body, number);
    };
  }
};

TEST(KnownAnswersTrial, AsksEachCaseAsAClientWould) {
  Machine machine;
  const TrialOutcome outcome = run_trial(answers(), {"demo", {{"cache_salt", "s"}}}, machine.ask());
  EXPECT_EQ(outcome.finding, Finding::kPassed) << outcome.reason;
  EXPECT_EQ(outcome.positions, 24u);
  ASSERT_EQ(machine.bodies.size(), 3u);
  const Json& body = machine.bodies.front();
  EXPECT_EQ(body["model"], "demo");
  EXPECT_EQ(body["messages"], Json::array({{{"role", "user"}, {"content", "the secret words of a prompt"}}}));
  EXPECT_EQ(body["temperature"], 0);
  EXPECT_EQ(body["max_tokens"], 8);
  EXPECT_EQ(body["logprobs"], true);
  EXPECT_EQ(body["top_logprobs"], 10);
  EXPECT_EQ(body["cache_salt"], "s");
}

TEST(KnownAnswersTrial, SaysWhatSpeaksForAFaultAndWhatForNothing) {
  const std::vector<std::pair<ErrorCode, Finding>> codes = {
      {ErrorCode::kBusy, Finding::kInconclusive},    {ErrorCode::kCancelled, Finding::kInconclusive},
      {ErrorCode::kTimeout, Finding::kInconclusive}, {ErrorCode::kNetwork, Finding::kInconclusive},
      {ErrorCode::kEngineFailed, Finding::kFailed},  {ErrorCode::kUpstreamBroken, Finding::kFailed},
      {ErrorCode::kInvalidRequest, Finding::kFailed}};
  for (const auto& [code, finding] : codes) {
    Machine machine;
    machine.answer = [code = code](const Json& body, std::size_t number) -> Result<std::string> {
      if (number == 2) return fail(code, "a reason");
      return reply(body["max_tokens"].get<int>()).dump();
    };
    EXPECT_EQ(run_trial(answers(), {"demo"}, machine.ask()).finding, finding) << error_id(code);
  }
  // Small differences add up where a single one would pass.
  Machine drifting;
  drifting.answer = [](const Json& body, std::size_t) -> Result<std::string> {
    Json out = reply(body["max_tokens"].get<int>());
    for (int i = 0; i < 8; ++i) content(out)[static_cast<std::size_t>(i)] = token(i, -0.08);
    return out.dump();
  };
  const TrialOutcome drifted = run_trial(answers(), {"demo"}, drifting.ask());
  EXPECT_EQ(drifted.finding, Finding::kFailed);
  EXPECT_NEAR(drifted.deviation, std::exp(-0.1) * 0.08, 1e-9);
  EXPECT_NE(drifted.reason.find("on the average"), std::string::npos) << drifted.reason;
  // A wrong answer is a wrong answer, even next to one that could not be obtained.
  Machine machine;
  machine.answer = [](const Json&, std::size_t number) -> Result<std::string> {
    if (number == 2) return fail(ErrorCode::kBusy, "busy");
    return number == 1 ? reply(8).dump() : reply(7).dump();
  };
  EXPECT_EQ(run_trial(answers(), {"demo"}, machine.ask()).finding, Finding::kFailed);
}

TrialOutcome outcome_of(Finding finding, std::chrono::milliseconds took = 100ms) {
  return {finding, "a reason", 0.01, 8, took};
}

TEST(KnownAnswersSchedule, AFailureIsRepeatedOnceAndThenWithdraws) {
  using What = TrialSchedule::Step::What;
  TrialSchedule schedule(300s);
  TrialSchedule::Time now{};
  EXPECT_EQ(schedule.after(outcome_of(Finding::kPassed), now).pause, 300s);
  EXPECT_EQ(schedule.after(outcome_of(Finding::kFailed), now).what, What::kRepeat);
  EXPECT_EQ(schedule.after(outcome_of(Finding::kPassed), now).what, What::kWait);
  EXPECT_EQ(schedule.after(outcome_of(Finding::kFailed), now).what, What::kRepeat);
  const auto last = schedule.after(outcome_of(Finding::kFailed), now);
  EXPECT_EQ(last.what, What::kWithdraw);
  EXPECT_EQ(last.reason, "a reason");
}

TEST(KnownAnswersSchedule, ATestThatSaysNothingWithdrawsNothing) {
  using What = TrialSchedule::Step::What;
  TrialSchedule schedule(300s);
  TrialSchedule::Time now{};
  EXPECT_EQ(schedule.after(outcome_of(Finding::kInconclusive), now + 24h).what, What::kWait) << "nobody is served yet";
  EXPECT_FALSE(schedule.has_passed());
  schedule.after(outcome_of(Finding::kPassed), now);
  EXPECT_TRUE(schedule.has_passed());
  const auto late = schedule.after(outcome_of(Finding::kInconclusive), now + 24h);
  EXPECT_EQ(late.what, What::kWait) << "somebody keeps the engine busy";
  EXPECT_EQ(late.pause, 10s);
}

TEST(KnownAnswersSchedule, TestsTakeHalfAPercentOfTheTimeAtMost) {
  TrialSchedule schedule(300s);
  EXPECT_EQ(schedule.interval(), 300s);
  schedule.after(outcome_of(Finding::kPassed, 2s), {});
  EXPECT_EQ(schedule.interval(), 400s);
  schedule.after(outcome_of(Finding::kPassed, 20s), {});
  EXPECT_EQ(schedule.interval(), 400s) << "one that waited for others says nothing of its own work";
  schedule.after(outcome_of(Finding::kPassed, 1s), {});
  EXPECT_EQ(schedule.interval(), 300s);
}

TEST(KnownAnswersRecord, KeepsTheLastSuccessAndCountsFailures) {
  const auto given = read_given_answers(codec::write_json(evidence::to_json(answers())));
  ASSERT_TRUE(given) << given.error().message;
  TestRecord record(*given, "");
  EXPECT_EQ(record.state().stage, TestStage::kPending);
  EXPECT_EQ(record.result(), nullptr);
  record.note(outcome_of(Finding::kInconclusive), std::nullopt, 1);
  EXPECT_EQ(record.state().stage, TestStage::kPending);
  record.note(outcome_of(Finding::kPassed), ByteArray<32>{5}, 1780000000);
  ASSERT_NE(record.result(), nullptr);
  EXPECT_EQ(record.result()->passed_at, 1780000000);
  EXPECT_EQ(record.result()->deviation, "0.010000");
  EXPECT_EQ(record.result()->model_digest, ByteArray<32>{5});
  record.note(outcome_of(Finding::kFailed), std::nullopt, 1780000001);
  EXPECT_EQ(record.state().failures, 1u);
  EXPECT_NE(record.result(), nullptr);
  record.withdraw("a reason");
  EXPECT_EQ(record.state().stage, TestStage::kFailed);
  EXPECT_EQ(record.result(), nullptr);
  record.note(outcome_of(Finding::kPassed), std::nullopt, 1780000002);
  EXPECT_EQ(record.state().stage, TestStage::kFailed) << "only who starts anew comes back";
  record.reset();
  EXPECT_EQ(record.state().stage, TestStage::kPending);
}

TEST(KnownAnswersWatch, TellsEachOutcomeAndEndsWithTheWithdrawal) {
  std::atomic<int> tests{0}, told{0};
  std::string reason;
  std::mutex mutex;
  std::condition_variable changed;
  bool withdrawn = false;
  AnswersWatch::Hooks hooks;
  hooks.test = [&] { return outcome_of(++tests <= 2 ? Finding::kPassed : Finding::kFailed, 0ms); };
  hooks.on_outcome = [&](const TrialOutcome&) { ++told; };
  hooks.on_withdraw = [&](const std::string& why) {
    const std::lock_guard lock(mutex);
    reason = why;
    withdrawn = true;
    changed.notify_all();
  };
  hooks.stop_test = [] {};
  AnswersWatch watch(1ms, std::move(hooks));
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, 60s, [&] { return withdrawn; }));
  EXPECT_EQ(tests, 4) << "two that passed, one that failed, and its repetition";
  EXPECT_EQ(told, 4);
  EXPECT_EQ(reason, "a reason");
}

TEST(KnownAnswersRecorder, KeepsClearAnswersAndAsksThemAgain) {
  Machine machine;
  KnownAnswers head = answers();
  head.cases.clear();
  const auto recording = record_known_answers(head, {"demo"}, machine.ask());
  ASSERT_TRUE(recording) << recording.error().message;
  EXPECT_EQ(recording->answers.cases.size(), 4u);
  EXPECT_EQ(recording->answers.positions(), 32u);
  EXPECT_EQ(recording->deviation, 0);
  std::size_t longest = 0;
  for (const auto& message : recording->answers.cases.back().messages)
    longest = std::max(longest, message.content.size());
  EXPECT_GT(longest, 500u) << "one prompt is computed in batches";
  EXPECT_EQ(run_trial(recording->answers, {"demo"}, machine.ask()).finding, Finding::kPassed);
}

TEST(KnownAnswersRecorder, CutsBeforeANearTie) {
  Machine machine;
  machine.answer = [](const Json& body, std::size_t) -> Result<std::string> {
    Json out = reply(body["max_tokens"].get<int>());
    if (content(out).size() > 5) content(out)[5]["top_logprobs"][1]["logprob"] = -0.3;
    return out.dump();
  };
  KnownAnswers head = answers();
  head.cases.clear();
  const auto recording = record_known_answers(head, {"demo"}, machine.ask());
  ASSERT_TRUE(recording) << recording.error().message;
  for (const KnownCase& known : recording->answers.cases) EXPECT_EQ(known.tokens.size(), 5u);
}

TEST(KnownAnswersRecorder, RefusesAModelThatDoesNotRepeatItself) {
  KnownAnswers head = answers();
  head.cases.clear();
  Machine machine;
  std::atomic<int> count{0};  // four short cases and a long one are asked before the tests
  machine.answer = [&](const Json& body, std::size_t) -> Result<std::string> {
    Json out = reply(body["max_tokens"].get<int>());
    for (int i = 0; i < 8 && ++count > 5; ++i) content(out)[static_cast<std::size_t>(i)] = token(i, -0.04);
    return out.dump();
  };
  const auto wandering = record_known_answers(head, {"demo"}, machine.ask());
  ASSERT_FALSE(wandering);
  EXPECT_NE(wandering.error().message.find("0.036193"), std::string::npos);
  machine.answer = [](const Json& body, std::size_t) -> Result<std::string> {
    Json out = reply(body["max_tokens"].get<int>());
    for (Json& position : content(out)) position["top_logprobs"][1]["logprob"] = -0.2;
    return out.dump();
  };
  EXPECT_FALSE(record_known_answers(head, {"demo"}, machine.ask())) << "every token is a near tie";
  machine.answer = [](const Json&, std::size_t) -> Result<std::string> { return fail(ErrorCode::kNetwork, "gone"); };
  EXPECT_EQ(record_known_answers(head, {"demo"}, machine.ask()).error().code, ErrorCode::kNetwork);
}

}  // namespace
}  // namespace cloister::engine
