// Compares the reply of a model with a known answer. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "evidence/known_answers.h"

namespace cloister::engine {

struct Comparison {
  std::string fault;          // why the answers differ; "" when they are the same. Holds no word of prompt or reply
  double difference = 0;      // sum over all tokens that were compared
  std::size_t positions = 0;  // number of tokens that were compared
};

// The answers are the same when they have the same tokens in the same number, the same text, and no token whose difference
// is above kTokenTolerances times the tolerance. The difference of a token is how much its recorded alternatives' log
// probabilities differ, each weighted with its recorded probability: the improbable ones, which the smallest noise moves
// most, count least. An alternative that the reply does not name is taken to be as probable as the last one that it names,
// if it was not less probable anyway. The caller, who has all cases, checks whether the average is within the tolerance.
Comparison compare_answer(const evidence::KnownCase& known, double tolerance, std::string_view reply);

}  // namespace cloister::engine
