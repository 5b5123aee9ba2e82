// Compares the reply of a model with a known answer. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "evidence/known_answers.h"

namespace cloister::engine {

struct Comparison {
  std::string fault;           // why it is another answer; "" when it is the same. Holds no word of prompt or reply
  double difference = 0;       // of all tokens that were compared, together
  std::size_t positions = 0;   // tokens that were compared
};

// The same tokens in the same number, the same text, and no token whose difference is above kTokenTolerances times the tolerance. The
// difference of a token is what its recorded alternatives' log probabilities differ by, each weighed with its recorded probability: the
// improbable ones, which the smallest noise moves most, count least. An alternative that the reply does not name is taken to be as
// probable as the last one that it names, if it was not less probable anyway. Whether the average is within the tolerance is for the
// caller, who has all cases.
Comparison compare_answer(const evidence::KnownCase& known, double tolerance, std::string_view reply);

}  // namespace cloister::engine
