// Judges the bare answer of a guest's agent: a quote with its logs, and nobody's keys or nonce named in it.
#include <string>

#include "base/encoding.h"
#include "evidence/boot_evidence.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/judges.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

struct AgentAnswer {
  Bytes quote;
  evidence::BootEvidence boot;
};

Result<AgentAnswer> parse_answer(const Json& object) {
  const Json& quote = object.at("quote");
  if (!quote.is_string()) {
    return fail(ErrorCode::kBadReport, std::string("quote: expected a string, found ") + quote.type_name());
  }
  AgentAnswer out;
  Result<Bytes> bytes = from_hex(quote.get_ref<const std::string&>());
  if (!bytes) return fail(ErrorCode::kBadReport, "quote: " + bytes.error().message);
  out.quote = *std::move(bytes);
  TRY(boot, evidence::read_boot_evidence(object));
  out.boot = std::move(boot);
  return out;
}

}  // namespace

Verdict judge_agent_answer(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<AgentAnswer> answer = parse_answer(object);
  if (!answer) {
    verdict.add(failed("report.form", answer.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "a guest agent's"));
  const TeeFindings tee = judge_tee(answer->quote, std::nullopt, answer->boot, context, verdict);
  // What the report data is made of, only the one who asked the agent knows.
  verdict.add(skipped("report.nonce", "the answer names no nonce", context.policy.require_nonce));
  skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.tls"},
           "the answer does not say whose keys, or which nonce, its report data binds");
  check_gpus(std::nullopt, expected.nonce.value_or(evidence::Nonce{}), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = "none";
  return verdict;
}

}  // namespace cloister::verify
