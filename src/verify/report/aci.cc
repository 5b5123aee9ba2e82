// Verifies an ACI report (`aci/1`): the quote binds a statement
// that names the keyset's digest and the client's nonce.
#include <string>

#include "base/encoding.h"
#include "evidence/aci/report.h"
#include "evidence/boot_evidence.h"
#include "evidence/statement.h"
#include "verify/aci/custody_keys.h"
#include "verify/aci/keyset_checks.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/instances.h"
#include "verify/report/judges.h"
#include "verify/report/node_policy.h"
#include "verify/report/statement_binding.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

using evidence::AciReport;
using evidence::ReportData;

Check check_nonce_given(const Expected& expected, const Policy& policy) {
  const std::string id = "report.nonce";
  if (expected.nonce) return not_applicable(id, "this form names no nonce; report data binds it");
  return skipped(id, "the verifier gave no nonce: the report may be old", policy.require_nonce);
}

// Compares the report data that the report states with the quote's. The first is for caches, the second is signed.
Check check_copies(const AciReport& report, const ReportData& actual) {
  const std::string id = "report.report_data_copy";
  const ByteView whole(actual);
  for (const Bytes* copy : {&report.report_data, report.quote_report_data ? &*report.quote_report_data : nullptr}) {
    if (copy == nullptr) continue;
    if (copy->size() != 32 && copy->size() != 64) return failed(id, "expected 32 or 64 bytes", {}, to_hex(*copy));
    const ByteView quoted = whole.first(copy->size());
    if (!equal(quoted, *copy)) {
      return failed(id, "the report names other report data than its quote holds", to_hex(quoted), to_hex(*copy));
    }
  }
  return passed(id);
}

// Repository, commit and image stand next to the quote, not in it: whoever serves them can write anything. The checks
// of the boot verify what is measured.
Check check_provenance(const AciReport& report) {
  const std::string id = "report.provenance";
  if (report.source_provenance.is_null()) return not_applicable(id, "the report names no source");
  return skipped(id, "the service's own claim about its source, bound to nothing: see the measured compose hash",
                 false);
}

Check check_serving(const AciReport& report, const Policy& policy) {
  const std::string id = "report.serving";
  // Nothing binds this member: the policy document says it in a bound way (policy.serving).
  if (report.serving == "direct") return skipped(id, "\"direct\" is the service's own claim, bound to nothing", false);
  // An unknown word counts as the weaker promise.
  return skipped(id, "this TEE passes requests on (" + report.serving + "): this report does not show who answers",
                 !policy.service.accept_upstream_claims);
}

// Returns true when the quote binds the keyset.
bool check_binding(const AciReport& report, const ReportData& data, const Expected& expected, const Policy& policy,
                   Verdict& verdict) {
  const ByteArray<32>& keyset = report.keyset.digest;
  const std::string statement = evidence::aci_statement(keyset, expected.nonce);
  const bool without_nonce = binds(data, evidence::aci_statement(keyset, std::nullopt));
  const bool bound = binds(data, statement) || without_nonce;
  if (bound) {
    verdict.add(passed("report_data.identity", bound_half(data), "the keyset (A1)"));
  } else if (!expected.nonce) {
    verdict.add(skipped("report_data.identity", "the nonce that the quote was made for is not known here"));
  } else {
    verdict.add(failed("report_data.identity", "the quote binds another keyset, or another nonce",
                       bound_half(evidence::statement_report_data(statement)), bound_half(data)));
  }
  const std::string id = "report_data.nonce";
  if (!bound) {
    verdict.add(skipped(id, "report data binds keyset and nonce as one, and neither is known to be right"));
  } else if (!expected.nonce) {
    verdict.add(skipped(id, "the quote was made without a nonce: it may be old", policy.require_nonce));
  } else if (without_nonce) {
    verdict.add(failed(id, "the quote was made without a nonce", to_hex(*expected.nonce), "null"));
  } else {
    verdict.add(passed(id, to_hex(*expected.nonce)));
  }
  verdict.add(check_padding(data));
  return bound;
}

Check check_shown_tls(const AciReport& report) {
  const std::string id = "report.downstream_tls";
  if (!report.downstream_tls_binding) return not_applicable(id, "the report points at no TLS key");
  const std::string shown = to_hex(report.downstream_tls_binding->spki_sha256);
  for (const evidence::TlsKey& key : report.keyset.tls_public_keys) {
    if (key.spki_sha256 == report.downstream_tls_binding->spki_sha256 &&
        key.domain == report.downstream_tls_binding->domain) {
      return passed(id, shown);
    }
  }
  return failed(id, "the TLS key that the report points at does not stand in the keyset", "one of the keyset", shown);
}

void judge_parsed(const AciReport& report, const evidence::BootEvidence& boot, const Expected& expected,
                  const Context& context, Verdict& verdict) {
  verdict.add(check_nonce_given(expected, context.policy));
  const TeeFindings tee = judge_tee(report.quote, report.tee_type, boot, context, verdict);
  check_keyset(report.keyset, report.keyset_digest, context, verdict);
  verdict.add(check_custody_keys(boot, report.keyset, tee.root, verdict.find("boot.kms_custody"), context.policy));
  bool bound = false;
  if (tee.report_data) {
    const ReportData& data = *tee.report_data;
    bound = check_binding(report, data, expected, context.policy, verdict);
    verdict.add(check_copies(report, data));
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.padding", "report.report_data_copy"},
             "the quote could not be read");
  }
  if (bound) verdict.facts["report_data_layout"] = "A1";
  if (bound) add_attested(verdict.facts, report.keyset.legacy_addresses());
  check_channel(report.keyset, bound, expected, context.policy, verdict);
  verdict.add(check_shown_tls(report));
  verdict.add(check_provenance(report));
  verdict.add(check_serving(report, context.policy));
  const auto document = report.evidence.find(std::string(kPolicyMember));
  check_logged_digests(boot, document == report.evidence.end() ? Json() : *document,
                       report.keyset.is_cloister() ? NodeKind::kCloister : NodeKind::kUnknown, expected, context.policy,
                       verdict);
  verdict.facts["claims"]["serving"] = report.serving;
  if (!report.source_provenance.is_null()) verdict.facts["claims"]["source_provenance"] = report.source_provenance;
  check_gpus(std::nullopt, expected.nonce.value_or(evidence::Nonce{}), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = "none";
}

}  // namespace

Verdict judge_aci_report(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<AciReport> report = evidence::parse_aci_report(object);
  if (!report) {
    verdict.add(failed("report.form", report.error().message));
    return verdict;
  }
  const Result<evidence::BootEvidence> boot = evidence::read_boot_evidence(report->evidence);
  if (!boot) {
    verdict.add(failed("report.form", boot.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "ACI"));
  judge_parsed(*report, *boot, expected, context, verdict);
  return verdict;
}

}  // namespace cloister::verify
