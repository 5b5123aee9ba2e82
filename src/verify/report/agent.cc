// Verifies the bare answer of a guest's agent: a quote with its logs, in which nobody's keys or nonce are named.
#include <string>

#include "base/encoding.h"
#include "evidence/boot_evidence.h"
#include "evidence/services/dstack_attestation.h"
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

Result<evidence::DstackAttestation> parse_versioned(const Json& object) {
  const auto text = object.find("attestation");
  if (text == object.end() || !text->is_string()) return fail(ErrorCode::kBadReport, "attestation: expected a text");
  Result<Bytes> bytes = from_hex(text->get_ref<const std::string&>());
  if (!bytes) return fail(ErrorCode::kBadReport, "attestation: " + bytes.error().message);
  return evidence::parse_dstack_attestation(*bytes);
}

// Only the person who asked the agent knows what the report data is made from.
void add_nobodys_keys(const Expected& expected, const TeeFindings& tee, const Context& context, Verdict& verdict) {
  verdict.add(skipped("report.nonce", "the answer names no nonce", context.policy.require_nonce));
  skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.tls"},
           "the answer does not say whose keys, or which nonce, its report data binds");
  check_gpus(std::nullopt, expected.nonce.value_or(evidence::Nonce{}), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = "none";
}

// The registers themselves are compared with what the policy expects, with or without a log.
void leave_out_registers(Verdict& verdict) {
  for (Check& check : verdict.checks) {
    if (check.id != "boot.rtmr0" && check.id != "boot.rtmr1" && check.id != "boot.rtmr2") continue;
    check = not_applicable(check.id, "this form of the log leaves out entries of this register");
  }
}

Check check_copy(const Bytes& copy, const TeeFindings& tee) {
  const std::string id = "report.report_data_copy";
  if (!tee.report_data) return skipped(id, "the quote could not be read");
  return compared(id, to_hex(*tee.report_data), to_hex(copy),
                  "the attestation names other report data than its quote holds");
}

}  // namespace

Result<void> check_versioned_form(const Json& object) {
  const auto attestation = parse_versioned(object);
  if (!attestation && attestation.error().code == ErrorCode::kUnsupported) return attestation.error();
  return {};
}

Verdict judge_versioned_attestation(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const auto attestation = parse_versioned(object);
  if (!attestation) {
    verdict.add(failed("report.form", attestation.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "dstack's attestation, version " + std::to_string(attestation->version)));
  const TeeFindings tee =
      judge_tee(attestation->evidence, attestation->snp ? "sev_snp" : "tdx", attestation->boot, context, verdict);
  if (attestation->stripped_log) leave_out_registers(verdict);
  verdict.add(check_copy(attestation->report_data, tee));
  add_nobodys_keys(expected, tee, context, verdict);
  return verdict;
}

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
  add_nobodys_keys(expected, tee, context, verdict);
  return verdict;
}

}  // namespace cloister::verify
