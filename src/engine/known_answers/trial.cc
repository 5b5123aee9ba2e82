#include "engine/known_answers/trial.h"

#include <algorithm>
#include <future>

#include "codec/json.h"
#include "engine/known_answers/judge.h"

namespace cloister::engine {
namespace {

using evidence::KnownAnswers;
using evidence::KnownCase;

// More than the recorded ones, so that two of nearly the same probability may swap places at the end of the list.
constexpr std::size_t kMoreAlternatives = 5;
constexpr std::size_t kMostAlternatives = 20;  // the limit of OpenAI's API

bool says_nothing(ErrorCode code) {
  return code == ErrorCode::kBusy || code == ErrorCode::kCancelled || code == ErrorCode::kTimeout ||
         code == ErrorCode::kNetwork || code == ErrorCode::kEngineLoading;
}

std::size_t alternatives_of(const KnownCase& known) {
  std::size_t most = 0;
  for (const auto& position : known.tokens) most = std::max(most, position.size());
  return std::min(most + kMoreAlternatives, kMostAlternatives);
}

TrialOutcome run_case(const KnownAnswers& answers, std::size_t index, const Question& question, const Ask& ask) {
  const KnownCase& known = answers.cases[index];
  const std::string where = "case " + std::to_string(index + 1) + ": ";
  TrialOutcome out;
  const Result<std::string> reply =
      ask(question_body(question, known.messages, known.tokens.size(), alternatives_of(known)));
  if (!reply) {
    out.finding = says_nothing(reply.error().code) ? Finding::kInconclusive : Finding::kFailed;
    out.reason = where + reply.error().message;
    return out;
  }
  const Comparison comparison = compare_answer(known, answers.tolerance, *reply);
  out.finding = comparison.fault.empty() ? Finding::kPassed : Finding::kFailed;
  out.reason = comparison.fault.empty() ? "" : where + comparison.fault;
  out.deviation = comparison.difference;  // the sum, since join() adds up
  out.positions = comparison.positions;
  return out;
}

// A failure counts more than a case that could not be asked, which counts more than a success.
int weight(Finding finding) { return finding == Finding::kFailed ? 2 : finding == Finding::kInconclusive ? 1 : 0; }

void join(TrialOutcome& all, TrialOutcome one) {
  if (weight(one.finding) > weight(all.finding)) {
    all.finding = one.finding;
    all.reason = std::move(one.reason);
  }
  all.deviation += one.deviation;
  all.positions += one.positions;
}

}  // namespace

std::string question_body(const Question& question, const std::vector<evidence::ChatMessage>& messages,
                          std::size_t tokens, std::size_t alternatives) {
  Json list = Json::array();
  for (const evidence::ChatMessage& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  Json body = {{"model", question.model}, {"messages", std::move(list)},
               {"max_tokens", tokens},    {"temperature", 0},
               {"logprobs", true},        {"top_logprobs", alternatives},
               {"stream", false},         {"chat_template_kwargs", {{"enable_thinking", false}}}};
  body.update(question.more);
  return codec::write_json(body);
}

TrialOutcome run_trial(const KnownAnswers& answers, const Question& question, const Ask& ask) {
  const auto begun = std::chrono::steady_clock::now();
  TrialOutcome all;
  all.finding = Finding::kPassed;
  join(all, run_case(answers, 0, question, ask));
  if (all.finding == Finding::kPassed) {
    std::vector<std::future<TrialOutcome>> others;
    for (std::size_t i = 1; i < answers.cases.size(); ++i) {
      others.push_back(std::async(std::launch::async, [&, i] { return run_case(answers, i, question, ask); }));
    }
    for (std::future<TrialOutcome>& other : others) join(all, other.get());
  }
  if (all.positions != 0) all.deviation /= static_cast<double>(all.positions);
  if (all.finding == Finding::kPassed && all.deviation > answers.tolerance) {
    all.finding = Finding::kFailed;
    all.reason = "log probabilities differ by " + evidence::difference_text(all.deviation) +
                 " on the average, more than " + evidence::difference_text(answers.tolerance);
  }
  all.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  return all;
}

evidence::KnownAnswersResult result_of(const KnownAnswers& answers, const ByteArray<32>& answers_digest,
                                       const std::optional<ByteArray<32>>& model_digest, const TrialOutcome& outcome,
                                       UnixSeconds now) {
  evidence::KnownAnswersResult out;
  out.answers_digest = answers_digest;
  out.model_digest = model_digest;
  out.passed_at = now;
  out.cases = answers.cases.size();
  out.positions = outcome.positions;
  out.deviation = evidence::difference_text(outcome.deviation);
  out.tolerance = evidence::difference_text(answers.tolerance);
  return out;
}

}  // namespace cloister::engine
