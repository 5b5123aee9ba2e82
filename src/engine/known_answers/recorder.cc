#include "engine/known_answers/recorder.h"

#include <algorithm>
#include <optional>

#include "codec/json.h"
#include "engine/known_answers/answer_reader.h"
#include "engine/known_answers/prompts.h"

namespace cloister::engine {
namespace {

using evidence::KnownCase;

constexpr std::size_t kTokens = 8;
constexpr std::size_t kAlternatives = 5;
constexpr std::size_t kAsked = 10;
constexpr std::size_t kCases = 4;
constexpr int kRepetitions = 3;
// A recorded choice is clearer than the document demands, so that rounding does not spoil it.
constexpr double kMargin = 1.25;

struct Candidate {
  KnownCase known;
  bool is_long = false;
};

bool is_readable(const AnswerPosition& position) {
  return position.chosen.text.size() <= 256 && position.chosen.text.find("\xEF\xBF\xBD") == std::string::npos;
}

// The recorded alternatives of one token, the chosen one first; absent where it is a near tie or cannot be determined.
std::optional<std::vector<evidence::TokenChance>> alternatives_of(const AnswerPosition& position, double tolerance) {
  std::vector<evidence::TokenChance> out(
      position.top.begin(),
      position.top.begin() + static_cast<std::ptrdiff_t>(std::min(position.top.size(), kAlternatives)));
  if (!is_readable(position) || out.empty() || out.front().text != position.chosen.text) return std::nullopt;
  if (!evidence::is_clear_choice(out, tolerance * kMargin)) return std::nullopt;
  return out;
}

// The case made of the first `count` tokens. Absent when the reply does not have exactly `count` tokens.
std::optional<KnownCase> case_of(const CandidatePrompt& prompt, const Answer& answer, std::size_t count,
                                 double tolerance) {
  if (answer.positions.size() != count || answer.completion_tokens.value_or(count) != count) return std::nullopt;
  KnownCase out;
  out.messages = prompt.messages;
  out.content = answer.content;
  for (const AnswerPosition& position : answer.positions) {
    auto alternatives = alternatives_of(position, tolerance);
    if (!alternatives) return std::nullopt;
    out.tokens.push_back(std::move(*alternatives));
  }
  return out;
}

std::size_t clear_tokens(const Answer& answer, double tolerance) {
  std::size_t count = 0;
  while (count < answer.positions.size() && alternatives_of(answer.positions[count], tolerance)) ++count;
  return count;
}

Result<std::optional<KnownCase>> record_case(const CandidatePrompt& prompt, double tolerance, const Question& question,
                                             const Ask& ask) {
  TRY(reply, ask(question_body(question, prompt.messages, kTokens, kAsked)));
  TRY(answer, read_answer(reply));
  const std::size_t count = clear_tokens(answer, tolerance);
  if (count < 2) return std::optional<KnownCase>();
  if (count == kTokens && answer.finish == "length") return case_of(prompt, answer, count, tolerance);
  // Asked again with exactly this many tokens: a reply that ends by itself, or continues after them, would be another one.
  TRY(shorter, ask(question_body(question, prompt.messages, count, kAsked)));
  TRY(cut, read_answer(shorter));
  return case_of(prompt, cut, count, tolerance);
}

// True when no further case of this length would be kept: cases with all of their tokens come first.
bool has_enough(const std::vector<Candidate>& candidates, bool is_long) {
  const auto complete = std::count_if(candidates.begin(), candidates.end(), [is_long](const Candidate& one) {
    return one.is_long == is_long && one.known.tokens.size() == kTokens;
  });
  return complete >= (is_long ? 1 : static_cast<std::ptrdiff_t>(kCases));
}

std::vector<KnownCase> choose(std::vector<Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.known.tokens.size() > b.known.tokens.size();
  });
  const auto longest =
      std::find_if(candidates.begin(), candidates.end(), [](const Candidate& one) { return one.is_long; });
  std::vector<KnownCase> out, long_ones;
  if (longest != candidates.end()) long_ones.push_back(longest->known);
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_long && out.size() + long_ones.size() < kCases) out.push_back(candidate.known);
  }
  out.insert(out.end(), long_ones.begin(), long_ones.end());
  return out;
}

}  // namespace

Result<Recording> record_known_answers(const evidence::KnownAnswers& head, const Question& question, const Ask& ask) {
  Recording out;
  out.answers = head;
  std::vector<Candidate> candidates;
  for (const CandidatePrompt& prompt : candidate_prompts()) {
    if (has_enough(candidates, prompt.is_long)) continue;
    TRY(known, record_case(prompt, head.tolerance, question, ask));
    if (known) candidates.push_back({std::move(*known), prompt.is_long});
  }
  out.answers.cases = choose(std::move(candidates));
  // Parsed in the way in which it will be read.
  Result<evidence::KnownAnswers> read =
      evidence::parse_known_answers(codec::write_json(evidence::to_json(out.answers)));
  if (!read) {
    return fail(ErrorCode::kUpstreamBroken,
                "the model gives too few clear answers to the prompts that are recorded: " + read.error().message);
  }
  out.answers = std::move(*read);
  for (int i = 0; i < kRepetitions; ++i) {
    const TrialOutcome again = run_trial(out.answers, question, ask);
    out.deviation = std::max(out.deviation, again.deviation);
    if (again.finding != Finding::kPassed) {
      return fail(ErrorCode::kUpstreamBroken, "the model does not repeat its answers: " + again.reason);
    }
  }
  if (out.deviation <= head.tolerance / 2) return out;
  return fail(ErrorCode::kUpstreamBroken,
              "the model repeats its answers with a deviation of " + evidence::difference_text(out.deviation) +
                  ", more than half of the tolerance of " + evidence::difference_text(head.tolerance));
}

}  // namespace cloister::engine
