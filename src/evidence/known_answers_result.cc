#include "evidence/known_answers_result.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;
constexpr std::size_t kMostResults = 64;
constexpr std::size_t kMostKeyId = 256;
constexpr std::size_t kMostDecimal = 16;

// Digits, a point, digits.
Result<std::string> decimal(const JsonReader& reader, std::string_view name) {
  TRY(text, reader.text(name));
  const std::size_t point = text.find('.');
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  const bool one_point = point != std::string::npos && point != 0 && point + 1 < text.size() &&
                         text.find('.', point + 1) == std::string::npos;
  if (text.size() > kMostDecimal || !digits || !one_point) return reader.bad(name, "expected a decimal number");
  return text;
}

Result<std::uint64_t> count(const JsonReader& reader, std::string_view name) {
  TRY(number, reader.whole_number(name));
  if (number < 1) return reader.bad(name, "expected at least 1");
  return static_cast<std::uint64_t>(number);
}

}  // namespace

Json to_json(const KnownAnswersResult& result) {
  return {{"answers_digest", digest_text(result.answers_digest)},
          {"model_digest", result.model_digest ? Json(digest_text(*result.model_digest)) : Json()},
          {"passed_at", result.passed_at},
          {"cases", result.cases},
          {"positions", result.positions},
          {"deviation", result.deviation},
          {"tolerance", result.tolerance}};
}

Result<KnownAnswersResult> parse_known_answers_result(const Json& object, std::string where) {
  const JsonReader reader(object, kCode, std::move(where));
  TRY_VOID(
      reader.only({"answers_digest", "model_digest", "passed_at", "cases", "positions", "deviation", "tolerance"}));
  KnownAnswersResult out;
  TRY(answers, reader.digest("answers_digest"));
  out.answers_digest = answers;
  if (!object.contains("model_digest")) return reader.bad("model_digest", "it is missing");
  TRY(model, reader.optional_digest("model_digest"));
  out.model_digest = model;
  TRY(passed_at, reader.whole_number("passed_at"));
  out.passed_at = passed_at;
  TRY(cases, count(reader, "cases"));
  out.cases = cases;
  TRY(positions, count(reader, "positions"));
  out.positions = positions;
  TRY(deviation, decimal(reader, "deviation"));
  out.deviation = std::move(deviation);
  TRY(tolerance, decimal(reader, "tolerance"));
  out.tolerance = std::move(tolerance);
  return out;
}

Result<Json> sign_known_answers(const std::vector<KnownAnswersResult>& results, const std::string& key_id,
                                const SignText& sign) {
  Json list = Json::array();
  for (const KnownAnswersResult& result : results) {
    if (list.size() < kMostResults) list.push_back(to_json(result));
  }
  Json out = {{"schema", kKnownAnswersResultsSchema}, {"key_id", key_id}, {"results", std::move(list)}};
  TRY(canonical, codec::write_jcs(out));
  out["signature"] = to_hex(sign(canonical));
  return out;
}

Result<SignedKnownAnswers> parse_signed_known_answers(const Json& object) {
  const JsonReader reader(object, kCode, "known_answers.");
  TRY_VOID(reader.only({"schema", "key_id", "results", "signature"}));
  TRY(schema, reader.text("schema"));
  if (schema != kKnownAnswersResultsSchema)
    return reader.bad("schema", "expected " + std::string(kKnownAnswersResultsSchema));
  SignedKnownAnswers out;
  TRY(key_id, reader.text("key_id"));
  if (key_id.size() > kMostKeyId) return reader.bad("key_id", "it is too long");
  out.key_id = std::move(key_id);
  TRY(signature, reader.signature("signature"));
  out.signature = signature;
  TRY(results, reader.array("results", kMostResults));
  if (results->empty()) return reader.bad("results", "expected at least one");
  for (const Json& element : *results) {
    TRY(result,
        parse_known_answers_result(element, "known_answers.results[" + std::to_string(out.results.size()) + "]."));
    out.results.push_back(std::move(result));
  }
  Json unsigned_part = object;
  unsigned_part.erase("signature");
  Result<std::string> input = codec::write_jcs(unsigned_part);
  if (!input) return fail(kCode, input.error().message);
  out.signing_input = *std::move(input);
  return out;
}

}  // namespace cloister::evidence
