#include "verify/receipt/established.h"

#include <utility>

#include "codec/json.h"
#include "evidence/aci/report.h"
#include "evidence/boot_evidence.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "verify/aci/keyset_checks.h"
#include "verify/check.h"
#include "verify/report/judges.h"
#include "verify/report/known_answers.h"
#include "verify/report/node_policy.h"

namespace cloister::verify {
namespace {

bool passes(const Verdict& verdict, std::string_view id) {
  const Check* check = verdict.find(id);
  return check != nullptr && check->state == State::kPass;
}

void read_report(const Json& object, const Verdict& verdict, Established& out) {
  const Result<ReportShape> shape = find_shape(object);
  if (shape && *shape == ReportShape::kAci) {
    if (Result<evidence::AciReport> report = evidence::parse_aci_report(object)) {
      out.keyset = std::move(report->keyset);
      out.aggregator = report->serving != "direct";
      const Result<evidence::BootEvidence> boot = evidence::read_boot_evidence(report->evidence);
      if (boot) out.policy_digest = logged_digest(*boot, "cloister-policy", verdict);
      if (boot) out.model_digest = logged_digest(*boot, "cloister-model", verdict);
    }
  } else if (shape && *shape == ReportShape::kNative) {
    if (Result<evidence::NativeReport> report = evidence::parse_native_report(object)) {
      out.keyset = std::move(report->keyset);
      if (out.attested) out.model_digest = report->statement.model_digest;
      if (out.attested) out.policy_digest = report->statement.policy_digest;
    }
  }
  if (!out.keyset) out.reason = "the report holds no keyset that could be read";
}

Established from_report(std::string_view text, const ReceiptEvidence& evidence, const Context& context,
                        Verdict& verdict) {
  Established out;
  const Result<Json> object = codec::parse_json(text);
  if (!object) {
    verdict.add(failed("report.form", object.error().message));
    out.reason = "the report could not be read";
    return out;
  }
  // receipt.known_answers checks whether the model was tested before the reply; the report may be older, or newer.
  const Policy policy = without_known_answers(context.policy);
  Verdict report =
      judge_report(*object, text, evidence.expected, {policy, context.collateral, context.time, context.tdx_cache});
  // Both links are needed: the quote binds a digest, and the keyset has that digest.
  out.attested = passes(report, "report_data.identity") && passes(report, "keyset.digest");
  if (!out.attested) out.reason = "the quote of the report does not bind its keyset";
  read_report(*object, report, out);
  verdict.append(std::move(report));
  return out;
}

Established from_keyset(std::string_view text, const Context& context, Verdict& verdict) {
  Established out;
  const Result<Json> object = codec::parse_json(text);
  Result<evidence::Keyset> keyset = object ? evidence::parse_keyset(*object) : Result<evidence::Keyset>(object.error());
  if (!keyset) {
    verdict.add(failed("keyset.digest", "the keyset could not be read: " + keyset.error().message));
    out.reason = "the keyset could not be read";
    return out;
  }
  check_keyset(*keyset, keyset->digest, context, verdict);
  out.keyset = std::move(*keyset);
  out.reason = "no report shows that a TEE vouched for this keyset";
  return out;
}

// A keyset next to a report is a second statement of what the report holds.
Check check_same(std::string_view text, const Established& established) {
  const std::string id = "receipt.known_keyset";
  const Result<Json> object = codec::parse_json(text);
  const auto keyset = object ? evidence::parse_keyset(*object) : Result<evidence::Keyset>(object.error());
  if (!keyset) return failed(id, "the keyset could not be read: " + keyset.error().message);
  if (!established.keyset) return skipped(id, established.reason);
  return compared(id, evidence::digest_text(keyset->digest), evidence::digest_text(established.keyset->digest),
                  "the report holds another keyset than the one next to it");
}

}  // namespace

Established establish_keyset(const ReceiptEvidence& evidence, const Context& context, Verdict& verdict) {
  if (evidence.report) {
    Established out = from_report(*evidence.report, evidence, context, verdict);
    if (evidence.keyset) verdict.add(check_same(*evidence.keyset, out));
    return out;
  }
  if (evidence.keyset) return from_keyset(*evidence.keyset, context, verdict);
  Established none;
  none.reason = "no report and no keyset is known here";
  return none;
}

}  // namespace cloister::verify
