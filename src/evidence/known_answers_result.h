// The result of a known-answer test (docs/spec/known-answers.md): what a node says about itself in its report, in
// receipts and on /health. Receipts are signed as a whole; in a report the results have a signature of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kKnownAnswersResultsSchema = "cloister.known_answers_results.v1";
// The member of reports, and of the receipts' event model.served.
inline constexpr std::string_view kKnownAnswersMember = "known_answers";

// A test that was passed.
struct KnownAnswersResult {
  ByteArray<32> answers_digest{};             // of the document with the answers (known_answers_digest)
  std::optional<ByteArray<32>> model_digest;  // of the identity of the model that was tested
  UnixSeconds passed_at = 0;
  std::uint64_t cases = 0;
  std::uint64_t positions = 0;  // tokens that were compared
  std::string deviation;        // average difference of log probabilities, "0.012345"
  std::string tolerance;        // the most that would have been accepted

  bool operator==(const KnownAnswersResult&) const = default;
};

Json to_json(const KnownAnswersResult& result);
// Strict: an additional or missing member is an error. Errors are kBadReport; `where` precedes the names in messages.
Result<KnownAnswersResult> parse_known_answers_result(const Json& object, std::string where = {});

// {"key_id","results":[...],"schema","signature"}: signed by `sign` over the canonical form without `signature`, as
// receipts are. The schema's name distinguishes such a text from every other that the key signs.
using SignText = std::function<ByteArray<64>(std::string_view canonical)>;
Result<Json> sign_known_answers(const std::vector<KnownAnswersResult>& results, const std::string& key_id,
                                const SignText& sign);

struct SignedKnownAnswers {
  std::string key_id;
  std::vector<KnownAnswersResult> results;  // 1 to 64
  ByteArray<64> signature{};
  std::string signing_input;  // what is signed
};
// Strict, as above. The signature is not verified.
Result<SignedKnownAnswers> parse_signed_known_answers(const Json& object);

}  // namespace cloister::evidence
