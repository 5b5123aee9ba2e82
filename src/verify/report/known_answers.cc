#include "verify/report/known_answers.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/ed25519.h"
#include "evidence/json_reader.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::KnownAnswersResult;
using evidence::SignedKnownAnswers;

constexpr std::string_view kId = "model.known_answers";
constexpr std::int64_t kClockSkew = 300;

// Why the holder of the keyset did not sign these results; "" when it did. The attested entry decides the algorithm.
std::string signature_fault(const SignedKnownAnswers& answers, const evidence::Keyset& keyset) {
  const auto has_id = [&](const evidence::KeysetKey& key) {
    return key.key_id == answers.key_id && key.algo == evidence::kReceiptAlgo;
  };
  if (std::ranges::count_if(keyset.receipt_signing_keys, has_id) != 1)
    return "they are not signed by a key for receipts of the keyset";
  const auto found = std::ranges::find_if(keyset.receipt_signing_keys, has_id);
  const auto key = from_hex_exactly<32>(found->public_key);
  if (!key) return key.error().message;
  const auto valid = crypto::verify_ed25519(*key, as_bytes(answers.signing_input), answers.signature);
  return valid ? "" : valid.error().message;
}

std::string summary(const KnownAnswersResult& result) {
  return std::to_string(result.positions) + " tokens at " + to_rfc3339(result.passed_at) + ", deviation " +
         result.deviation + " of " + result.tolerance;
}

Check judge(const SignedKnownAnswers& answers, const std::optional<ByteArray<32>>& model_digest, UnixSeconds time,
            const KnownAnswersDemands& demands) {
  const std::string id(kId);
  const auto of_model =
      std::ranges::find_if(answers.results, [&](const auto& one) { return one.model_digest == model_digest; });
  if (!model_digest || of_model == answers.results.end())
    return skipped(id, "no test is of the model that the statement names", demands.required);
  bool is_old = false;
  const std::string objection = known_answers_objection(*of_model, demands, time, is_old);
  if (objection.empty()) return passed(id, summary(*of_model));
  // A report that is kept for receipts, or that was not just asked for, is older than its verdict.
  if (is_old) return skipped(id, objection, demands.required);
  return failed(id, objection);
}

}  // namespace

KnownAnswersDemands demands_of(const Policy& policy) {
  const ServicePolicy& service = policy.service;
  KnownAnswersDemands out;
  out.required = service.require_known_answers || !service.known_answer_digests.empty() ||
                 service.max_known_answers_age_minutes < ServicePolicy{}.max_known_answers_age_minutes;
  out.answers_digests = service.known_answer_digests;
  out.max_age_s = std::int64_t{service.max_known_answers_age_minutes} * 60;
  return out;
}

Policy without_known_answers(Policy policy) {
  const ServicePolicy none;
  policy.service.require_known_answers = none.require_known_answers;
  policy.service.max_known_answers_age_minutes = none.max_known_answers_age_minutes;
  policy.service.known_answer_digests = none.known_answer_digests;
  return policy;
}

std::string known_answers_objection(const KnownAnswersResult& result, const KnownAnswersDemands& demands,
                                    UnixSeconds time, bool& is_old) {
  is_old = false;
  if (!demands.answers_digests.empty() && !demands.answers_digests.contains(to_bytes(result.answers_digest))) {
    return "the model was tested with other answers than those that are expected: " +
           evidence::digest_text(result.answers_digest);
  }
  // Decimal texts of one form: 0.001234.
  if (result.deviation.size() != result.tolerance.size() || result.deviation > result.tolerance) {
    return "a deviation of " + result.deviation + " does not pass a tolerance of " + result.tolerance;
  }
  if (result.passed_at > time + kClockSkew) return "the test is of the future: " + to_rfc3339(result.passed_at);
  const std::int64_t age_s = time - result.passed_at;
  if (age_s <= demands.max_age_s) return "";
  is_old = true;
  return "the last test that was passed was " + std::to_string(age_s) + " s old, more than " +
         std::to_string(demands.max_age_s) + " s";
}

void check_known_answers(const Json& member, const evidence::Keyset& keyset, bool keyset_bound,
                         const std::optional<ByteArray<32>>& model_digest, const Context& context, Verdict& verdict) {
  const std::string id(kId);
  const KnownAnswersDemands demands = demands_of(context.policy);
  if (member.is_null())
    return verdict.add(skipped(id, "the node shows no known-answer test of its model", demands.required));
  const auto answers = evidence::parse_signed_known_answers(member);
  if (!answers) return verdict.add(failed(id, answers.error().message));
  if (const std::string fault = signature_fault(*answers, keyset); !fault.empty())
    return verdict.add(failed(id, fault));
  if (!keyset_bound)
    return verdict.add(
        skipped(id, "the quote does not bind the keyset whose key signed the results", demands.required));
  verdict.facts["known_answers"] = member["results"];
  verdict.add(judge(*answers, model_digest, context.time, demands));
}

}  // namespace cloister::verify
