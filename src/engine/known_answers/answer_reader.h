// Parses a reply of the chat route with its log probabilities, in OpenAI's form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evidence/known_answers.h"

namespace cloister::engine {

struct AnswerPosition {
  evidence::TokenChance chosen;
  std::vector<evidence::TokenChance> top;  // in falling order
};

struct Answer {
  std::optional<std::string> content;  // of the message
  std::vector<AnswerPosition> positions;
  std::optional<std::uint64_t> completion_tokens;
  std::string finish;  // "stop", "length"
};

// kUpstreamBroken for what is no such reply, has no log probabilities, or holds one that is not a finite number of at
// most zero. The message never quotes the reply. Any thread.
Result<Answer> read_answer(std::string_view body);

}  // namespace cloister::engine
