#include "engine/known_answers/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/known_answers/answer_reader.h"

namespace cloister::engine {
namespace {

using evidence::TokenChance;

std::string at_token(std::size_t index) { return "token " + std::to_string(index + 1) + ": "; }

// Two tokens can have the same text: the nearer one is used.
double difference_of(const std::vector<TokenChance>& top, const TokenChance& recorded) {
  double least = std::numeric_limits<double>::infinity();
  for (const TokenChance& chance : top) {
    if (chance.text == recorded.text) least = std::min(least, std::abs(chance.logprob - recorded.logprob));
  }
  return std::isinf(least) ? std::max(0.0, recorded.logprob - top.back().logprob) : least;
}

// Why the token differs; "" when it is the same. Adds its difference to `sum`.
std::string compare_position(const std::vector<TokenChance>& recorded, const AnswerPosition& actual, double tolerance,
                             double& sum) {
  if (actual.chosen.text != recorded.front().text) return "the model chose another token than the recorded one";
  if (actual.top.size() < recorded.size()) return "the reply names too few alternatives";
  double difference = 0;
  for (const TokenChance& alternative : recorded) {
    difference += std::exp(alternative.logprob) * difference_of(actual.top, alternative);
  }
  // The stated probability of the choice itself has to match the list.
  difference = std::max(
      difference, std::exp(recorded.front().logprob) * std::abs(actual.chosen.logprob - recorded.front().logprob));
  sum += difference;
  if (difference <= evidence::kTokenTolerances * tolerance) return "";
  return "log probabilities differ by " + evidence::difference_text(difference) + ", more than " +
         evidence::difference_text(evidence::kTokenTolerances * tolerance);
}

}  // namespace

Comparison compare_answer(const evidence::KnownCase& known, double tolerance, std::string_view reply) {
  Comparison out;
  const Result<Answer> answer = read_answer(reply);
  if (!answer) {
    out.fault = answer.error().message;
    return out;
  }
  const std::size_t common = std::min(known.tokens.size(), answer->positions.size());
  for (std::size_t i = 0; i < common; ++i) {
    const std::string fault = compare_position(known.tokens[i], answer->positions[i], tolerance, out.difference);
    ++out.positions;
    if (fault.empty()) continue;
    out.fault = at_token(i) + fault;
    return out;
  }
  const auto count_fault = [&](std::uint64_t count) {
    return "the reply has " + std::to_string(count) + " tokens instead of " + std::to_string(known.tokens.size());
  };
  if (answer->positions.size() != known.tokens.size()) {
    out.fault = count_fault(answer->positions.size());
  } else if (answer->completion_tokens.value_or(known.tokens.size()) != known.tokens.size()) {
    out.fault = count_fault(*answer->completion_tokens);
  } else if (answer->content != known.content) {
    out.fault = "the reply's text is not the recorded one, though its tokens are";
  }
  return out;
}

}  // namespace cloister::engine
