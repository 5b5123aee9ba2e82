// Records known answers from an engine that is trusted to compute correctly.
#pragma once

#include "base/result.h"
#include "engine/known_answers/trial.h"
#include "evidence/known_answers.h"

namespace cloister::engine {

struct Recording {
  evidence::KnownAnswers answers;
  double deviation = 0;  // the largest deviation of the tests that were made with them
};

// Asks every candidate prompt, keeps the four cases with the most tokens, one of them with a long prompt, cuts each before its
// first near tie, and asks all of them again. `head` says what is recorded: everything except the cases. Errors: as `ask`;
// kUpstreamBroken when the model gives too few clear answers or does not repeat them within half of the tolerance. Blocks.
Result<Recording> record_known_answers(const evidence::KnownAnswers& head, const Question& question, const Ask& ask);

}  // namespace cloister::engine
