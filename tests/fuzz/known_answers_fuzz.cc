// Known answers and the results of their tests. Accepted input has one canonical form and is read back from it
// unchanged.
#include "codec/jcs.h"
#include "codec/json.h"
#include "evidence/known_answers.h"
#include "evidence/known_answers_result.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto object = codec::parse_json(as_text(input));
  if (!object) return;
  if (const auto answers = evidence::parse_known_answers(as_text(input))) {
    const Json written = evidence::to_json(*answers);
    const auto canonical = codec::write_jcs(*object), again = codec::write_jcs(written);
    FUZZ_CHECK(canonical.has_value() && again.has_value() && *canonical == *again);
    FUZZ_CHECK(answers->positions() >= 8);
    for (const auto& known : answers->cases) {
      for (const auto& position : known.tokens) FUZZ_CHECK(evidence::is_clear_choice(position, answers->tolerance));
    }
  }
  if (const auto results = evidence::parse_signed_known_answers(*object)) {
    FUZZ_CHECK(!results->results.empty());
    for (const auto& result : results->results) {
      const auto parsed = evidence::parse_known_answers_result(evidence::to_json(result));
      FUZZ_CHECK(parsed.has_value() && *parsed == result);
    }
  }
}
