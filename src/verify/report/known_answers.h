// Verifies what a node shows about its known-answer tests (docs/spec/known-answers.md).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "evidence/aci/keyset.h"
#include "evidence/known_answers_result.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds model.known_answers and the fact `known_answers`. `member` is the report's, null where it has none. The results
// count where a receipt key of the keyset signed them and the quote binds the keyset (`keyset_bound`), and one result
// is about the model that the statement names.
void check_known_answers(const Json& member, const evidence::Keyset& keyset, bool keyset_bound,
                         const std::optional<ByteArray<32>>& model_digest, const Context& context, Verdict& verdict);

// What a relying party demands of a test.
struct KnownAnswersDemands {
  bool required = false;            // a test has to be shown
  std::set<Bytes> answers_digests;  // digests of the documents that are accepted; empty = any
  std::int64_t max_age_s = 3600;
};
KnownAnswersDemands demands_of(const Policy& policy);
// The same policy for evidence that needs no test: a gateway's, and the report of a receipt, which states its own test.
Policy without_known_answers(Policy policy);

// Why this result is not accepted at `time`; "" when it is. `is_old`: because of its age alone.
std::string known_answers_objection(const evidence::KnownAnswersResult& result, const KnownAnswersDemands& demands,
                                    UnixSeconds time, bool& is_old);

}  // namespace cloister::verify
