// Replies with log probabilities, in the form in which a server behind --upstream answers a known-answer test.
#include <cmath>

#include "engine/known_answers/answer_reader.h"
#include "engine/known_answers/judge.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto answer = engine::read_answer(as_text(input));
  evidence::KnownCase known;
  known.content = "a";
  known.tokens = {{{"a", -0.1}, {"b", -3}}};
  const engine::Comparison comparison = engine::compare_answer(known, 0.05, as_text(input));
  FUZZ_CHECK(answer.has_value() || !comparison.fault.empty());
  if (!answer) return;
  for (const auto& position : answer->positions) {
    FUZZ_CHECK(std::isfinite(position.chosen.logprob) && position.chosen.logprob <= 0 && !position.top.empty());
  }
  if (comparison.fault.empty())
    FUZZ_CHECK(answer->positions.size() == 1 && answer->content == known.content && comparison.difference <= 0.25);
}
