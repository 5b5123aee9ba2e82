// Verifies Cloister's own report (docs/spec/native-report.md): the quote binds the keyset, the GPU evidence, the model
// and the configuration; the GPU evidence binds the keyset.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/boot_evidence.h"
#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "verify/aci/custody_keys.h"
#include "verify/aci/keyset_checks.h"
#include "verify/check.h"
#include "verify/model_manifest.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/instances.h"
#include "verify/report/judges.h"
#include "verify/report/known_answers.h"
#include "verify/report/measured_event.h"
#include "verify/report/node_policy.h"
#include "verify/report/statement_binding.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

using evidence::NativeReport;
using evidence::NativeStatement;
using Digest = std::optional<ByteArray<32>>;

std::string text_of(const Digest& digest) { return digest ? evidence::digest_text(*digest) : "null"; }

Check check_nonce(const NativeStatement& statement, const Expected& expected, const Policy& policy) {
  const std::string id = "report.nonce";
  if (!expected.nonce) {
    return skipped(id, "the verifier gave no nonce: the report may be old", policy.require_nonce);
  }
  return compared(id, to_hex(*expected.nonce), to_hex(statement.nonce), "the report answers another nonce");
}

Check check_gpu_digest(const NativeReport& report) {
  Digest actual;
  if (report.nvidia_payload) actual = crypto::sha256(as_bytes(*report.nvidia_payload));
  return compared("report.gpu_evidence_digest", text_of(report.statement.gpu_evidence_digest), text_of(actual),
                  "the GPU evidence is not the one that the statement names");
}

// A document next to the statement must have the digest in the statement, and that digest must be an expected one.
Check check_document(const std::string& id, const Digest& named, const Json& document,
                     const std::set<Bytes>& accepted) {
  if (!document.is_null()) {
    const Result<ByteArray<32>> digest = evidence::document_digest(document);
    if (!digest) return failed(id, digest.error().message);
    if (named != *digest) {
      return failed(id, "the document is not the one that the statement names", text_of(named), text_of(*digest));
    }
  }
  if (accepted.empty()) {
    return skipped(id, "no expected digest was given; the statement names " + text_of(named), false);
  }
  if (named && accepted.contains(to_bytes(*named))) return passed(id, text_of(named));
  return failed(id, "another digest than those expected", "one of " + std::to_string(accepted.size()), text_of(named));
}

// True when the system's authentic log has this digest in an event of this name. dstack 0.6 lets applications measure no events.
bool is_in_log(const evidence::BootEvidence& boot, std::string_view name, const Digest& digest,
               const Verdict& verdict) {
  const Check* replayed = verdict.find("boot.rtmr3");
  if (!digest || !boot.event_log || replayed == nullptr || replayed->state != State::kPass) return false;
  const auto events = evidence::parse_event_log(*boot.event_log);
  return events && std::ranges::any_of(*events, [&](const evidence::LoggedEvent& event) {
           return event.is_runtime() && event.name == name && equal(event.payload, *digest);
         });
}

// Says what proves a digest of the statement.
std::string proof_of(bool bound, const Digest& digest, bool in_log) {
  if (!digest) return "nothing: the statement names none";
  if (!bound) return "nothing: the quote does not bind the statement";
  return in_log ? "report data, and an event of RTMR3" : "report data";
}

bool check_binding(const NativeStatement& statement, const evidence::ReportData& data, const Expected& expected,
                   const Policy& policy, Verdict& verdict) {
  const std::string text = evidence::native_statement(statement);
  const bool bound = binds(data, text);
  verdict.add(compared("report_data.identity", bound_half(evidence::statement_report_data(text)), bound_half(data),
                       "the quote binds another statement"));
  const std::string id = "report_data.nonce";
  if (!bound) {
    verdict.add(skipped(id, "the quote does not bind the statement that names the nonce"));
  } else if (!expected.nonce) {
    verdict.add(skipped(id, "the verifier gave no nonce", policy.require_nonce));
  } else {
    verdict.add(compared(id, to_hex(*expected.nonce), to_hex(statement.nonce), "the quote was made for another nonce"));
  }
  verdict.add(check_padding(data));
  return bound;
}

void judge_parsed(const NativeReport& report, const Json& known_answers, const evidence::BootEvidence& boot,
                  const Expected& expected, const Context& context, Verdict& verdict) {
  const NativeStatement& statement = report.statement;
  const ServicePolicy& accepted = context.policy.service;
  verdict.add(check_nonce(statement, expected, context.policy));
  const TeeFindings tee = judge_tee(report.quote, report.tee_type, boot, context, verdict);
  check_keyset(report.keyset, statement.keyset_digest, context, verdict);
  verdict.add(check_custody_keys(boot, report.keyset, tee.root, verdict.find("boot.kms_custody"), context.policy));
  bool bound = false;
  if (tee.report_data) {
    bound = check_binding(statement, *tee.report_data, expected, context.policy, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.padding"},
             "the quote could not be read");
  }
  // The addresses are bound through the keyset's digest, so both links of the chain must hold.
  const bool keyset_bound = bound && statement.keyset_digest == report.keyset.digest;
  if (bound) verdict.facts["report_data_layout"] = "native";
  if (keyset_bound) add_attested(verdict.facts, report.keyset.legacy_addresses());
  check_channel(report.keyset, keyset_bound, expected, context.policy, verdict);
  verdict.add(check_gpu_digest(report));
  verdict.add(check_document("report.model_digest", statement.model_digest, report.model, accepted.model_digests));
  verdict.add(check_document("report.policy_digest", statement.policy_digest, report.policy, accepted.policy_digests));
  check_node_policy(boot, report.policy, bound ? statement.policy_digest : std::nullopt, NodeKind::kCloister, expected,
                    context.policy, verdict);
  check_measured_events(boot, statement.model_digest, statement.policy_digest, verdict);
  check_model_manifest(report.model, bound ? statement.model_digest : std::nullopt, context.policy, verdict);
  check_known_answers(known_answers, report.keyset, keyset_bound, bound ? statement.model_digest : std::nullopt,
                      context, verdict);
  verdict.facts["model_digest"] = text_of(statement.model_digest);
  verdict.facts["policy_digest"] = text_of(statement.policy_digest);
  verdict.facts["model_proof"] =
      proof_of(bound, statement.model_digest, is_in_log(boot, evidence::kModelEvent, statement.model_digest, verdict));
  verdict.facts["policy_proof"] = proof_of(bound, statement.policy_digest,
                                           is_in_log(boot, evidence::kPolicyEvent, statement.policy_digest, verdict));
  const evidence::Nonce nonce = expected.nonce.value_or(statement.nonce);
  check_gpus(report.nvidia_payload, evidence::gpu_nonce(report.keyset.digest, nonce), tee.root, context, verdict);
  verdict.facts["gpu_binding"] =
      gpu_binding(report.nvidia_payload.has_value(),
                  "both ways: the GPU's nonce is made of the keyset, the quote binds the GPU evidence", context.policy);
}

}  // namespace

Verdict judge_native_report(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<NativeReport> report = evidence::parse_native_report(object);
  if (!report) {
    verdict.add(failed("report.form", report.error().message));
    return verdict;
  }
  add_gpu_note(object, verdict);
  const Result<evidence::BootEvidence> boot = evidence::read_boot_evidence(object);
  if (!boot) {
    verdict.add(failed("report.form", boot.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "cloister/1"));
  const Json* known_answers = evidence::JsonReader(object, ErrorCode::kBadReport).find(evidence::kKnownAnswersMember);
  judge_parsed(*report, known_answers == nullptr ? Json() : *known_answers, *boot, expected, context, verdict);
  return verdict;
}

}  // namespace cloister::verify
