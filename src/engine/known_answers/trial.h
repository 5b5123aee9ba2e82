// One known-answer test: asks every case through an engine's public API and compares the replies.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/known_answers.h"
#include "evidence/known_answers_result.h"

namespace cloister::engine {

// Takes the body of a chat request and returns the body of the reply. Blocks; several threads may call at once. kBusy,
// kCancelled, kTimeout, kNetwork and kEngineLoading say nothing about the arithmetic; every other Error is a wrong answer.
using Ask = std::function<Result<std::string>(const std::string& body)>;

struct Question {
  std::string model;           // the model's name on the API
  Json more = Json::object();  // further members that the server needs, such as a salt for its cache
};

// {"model","messages","max_tokens","temperature":0,"logprobs":true,"top_logprobs",...}. Templates that have a switch
// for a model's thinking are told to switch it off, so that the first tokens are text.
std::string question_body(const Question& question, const std::vector<evidence::ChatMessage>& messages,
                          std::size_t tokens, std::size_t alternatives);

enum class Finding { kPassed, kFailed, kInconclusive };

struct TrialOutcome {
  Finding finding = Finding::kInconclusive;
  std::string reason;    // why it is not kPassed, one line without a word of prompt or reply
  double deviation = 0;  // average difference of a token, as far as tokens were compared
  std::size_t positions = 0;
  std::chrono::milliseconds took{0};
};

// Asks the first case alone and the others together, so that both the kernels for one sequence and those for several
// are tested. A wrong answer of one case, or an average difference above the tolerance, is a failure.
TrialOutcome run_trial(const evidence::KnownAnswers& answers, const Question& question, const Ask& ask);

// The result of a passed trial, in the form that is shown to others.
evidence::KnownAnswersResult result_of(const evidence::KnownAnswers& answers, const ByteArray<32>& answers_digest,
                                       const std::optional<ByteArray<32>>& model_digest, const TrialOutcome& outcome,
                                       UnixSeconds now);

}  // namespace cloister::engine
