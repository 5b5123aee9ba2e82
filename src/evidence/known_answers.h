// Known answers, `cloister.known_answers.v1` (docs/spec/known-answers.md): prompts with the tokens and log probabilities
// that a model gave when it was known to compute correctly. Whoever serves the same weights must get the same again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kKnownAnswersSchema = "cloister.known_answers.v1";
inline constexpr std::size_t kMostKnownAnswersBytes = 1u << 20;
// One token may differ by this many times the tolerance, which holds for the average of all tokens.
inline constexpr double kTokenTolerances = 5;

// In documents, natural logarithms of probabilities are decimal texts with six digits after the point.
struct TokenChance {
  std::string text;
  double logprob = 0;  // -1000 to 0

  bool operator==(const TokenChance&) const = default;
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;

  bool operator==(const ChatMessage&) const = default;
};

struct KnownCase {
  std::vector<ChatMessage> messages;
  // The text in the reply's message; absent where there is none (a server that takes all of it for reasoning).
  std::optional<std::string> content;
  // The most probable tokens for each position of the reply, in falling order; the first one is the chosen token.
  std::vector<std::vector<TokenChance>> tokens;

  bool operator==(const KnownCase&) const = default;
};

struct KnownAnswers {
  // The model that gave the answers. The weights' digest decides where there is one, else the name.
  std::string model_id;
  std::optional<ByteArray<32>> weights_digest;
  std::optional<ByteArray<32>> chat_template_digest;
  std::string engine;  // for people: "llama.cpp de3ff815 cpu x86-64-v3"
  UnixSeconds recorded_at = 0;
  double tolerance = 0;  // the most that log probabilities may differ on average; above 0, at most 0.2
  std::vector<KnownCase> cases;

  std::size_t positions() const;  // tokens of all cases
  bool operator==(const KnownAnswers&) const = default;
};

// "-0.012345". A value beyond the range of TokenChance is cut to the range; NaN becomes its lower end.
std::string logprob_text(double logprob);
// The text of a difference of two: "0.012345", at most 1000.
std::string difference_text(double difference);

Json to_json(const KnownAnswers& answers);
// Accepts at most 1 MiB of strict JSON, 1 to 16 cases of 1 to 16 messages and 1 to 64 tokens, at least 8 tokens
// together, 2 to 20 alternatives for each. No token may be a near tie: its log probability is above the next one's by
// more than twice what one token may differ by, so that a correct engine never chooses another. An additional or
// missing member is an error. Errors are kModelFile. to_json() of the result has the same canonical form.
Result<KnownAnswers> parse_known_answers(std::string_view json_text);
// True when the choice at this position is no near tie.
bool is_clear_choice(const std::vector<TokenChance>& position, double tolerance);

// SHA-256 of the document's canonical form. Results and policies name the document by it.
Result<ByteArray<32>> known_answers_digest(const KnownAnswers& answers);

}  // namespace cloister::evidence
