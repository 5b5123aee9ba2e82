// The prompts that known answers are recorded for. The recorder keeps those to which the model has clear answers.
#pragma once

#include <vector>

#include "evidence/known_answers.h"

namespace cloister::engine {

struct CandidatePrompt {
  std::vector<evidence::ChatMessage> messages;
  bool is_long = false;  // more than a hundred tokens: the engine computes them as one batch of matrices
};

// Short and long prompts, in ASCII, about nothing in particular: counting, repeating, completing, a turn that refers to another.
std::vector<CandidatePrompt> candidate_prompts();

}  // namespace cloister::engine
