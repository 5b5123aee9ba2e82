#include "verify/report.h"

#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "codec/json.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/policy/rules.h"
#include "verify/report/binding.h"
#include "verify/report/form.h"
#include "verify/report/identity.h"
#include "verify/report/instances.h"
#include "verify/report/judges.h"
#include "verify/report/node_policy.h"
#include "verify/report/services.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

Check check_signing_address(const ServedReport& report, const Result<Bytes>& identity) {
  const std::string id = "report.signing_address";
  if (!identity) return failed(id, identity.error().message, {}, report.signing_address);
  if (!report.signing_public_key) return passed(id, report.signing_address, "the report shows no public key");
  if (auto match = check_public_key(report.signing_algo, *report.signing_public_key, *identity); !match) {
    return failed(id, match.error().message, report.signing_address, *report.signing_public_key);
  }
  return passed(id, report.signing_address);
}

Check check_nonce(const ServedReport& report, const Expected& expected, const Policy& policy) {
  if (!expected.nonce) {
    return skipped("report.nonce", "the verifier gave no nonce: the report may be old", policy.require_nonce);
  }
  return compared("report.nonce", to_hex(*expected.nonce), to_hex(report.request_nonce),
                  "the report answers another nonce");
}

// keyset.custody for a form without a keyset: one of the chains has to be about the signing key itself. Absent where nobody asks for chains
// and none are there.
std::optional<Check> check_address_custody(const ServedReport& report, const Check* chains, const Policy& policy) {
  const std::string id = "keyset.custody";
  const bool asked = !policy.boot.kms_root_keys.empty();
  if (!report.boot.key_custody) {
    if (!asked) return std::nullopt;
    return skipped(id, "no chain of key custody is served, and the policy names the roots it must lead to");
  }
  const Result<Bytes> identity = parse_identity(report.signing_algo, report.signing_address);
  const bool found = identity && std::ranges::any_of(*report.boot.key_custody, [&](const evidence::KeyCustody& key) {
                       return key.role.starts_with("legacy") &&
                              check_public_key(report.signing_algo, key.public_key, *identity).has_value();
                     });
  if (!found)
    return failed(id, "no chain of key custody is about the key of the signing address", report.signing_address,
                  "other keys");
  if (chains != nullptr && chains->state == State::kPass) return passed(id, report.signing_address);
  return skipped(id, "the chain of the signing key does not lead to a root that is known: boot.kms_custody", asked);
}

// Verifies one report that could be parsed.
void judge_served(const Json& object, const ServedReport& report, const Expected& expected, const Context& context,
                  Verdict& verdict) {
  const Result<Bytes> identity = parse_identity(report.signing_algo, report.signing_address);
  verdict.add(check_signing_address(report, identity));
  verdict.add(check_nonce(report, expected, context.policy));
  const TeeFindings tee = judge_tee(report.quote, report.tee_type, report.boot, context, verdict);
  verdict.facts["signing_address"] = report.signing_address;
  verdict.facts["signing_algo"] = evidence::to_text(report.signing_algo);

  if (tee.report_data && identity) {
    check_report_data(report, *identity, *tee.report_data, expected, context.policy, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.tls"},
             tee.report_data ? "the signing address could not be read" : "the quote could not be read");
  }
  if (const Check* bound = verdict.find("report_data.identity"); bound->state == State::kPass) {
    add_attested(verdict.facts, Json::array({report.signing_address}));
  }
  check_near_parts(object, report, verdict.find("report_data.identity")->state == State::kPass, expected, tee.root,
                   context, verdict);
  check_gpus(report.nvidia_payload, expected.nonce.value_or(report.request_nonce), tee.root, context, verdict);
  verdict.facts["gpu_binding"] =
      gpu_binding(report.nvidia_payload.has_value(), "a nonce that CPU and GPU share", context.policy);
  if (const auto custody = check_address_custody(report, verdict.find("boot.kms_custody"), context.policy))
    verdict.add(*custody);
  check_logged_digests(report.boot, report.node_policy, NodeKind::kUnknown, expected, context.policy, verdict);
}

// Verifies one report without the list of instances that it may hold. Absent when it could not be parsed.
std::optional<ServedReport> judge_form(const Json& object, const Expected& expected, const Context& context,
                                       Verdict& verdict) {
  verdict.subject = "report";
  Result<ServedReport> report = parse_served_report(object);
  if (!report) {
    verdict.add(failed("report.form", report.error().message));
    return std::nullopt;
  }
  verdict.add(passed("report.form"));
  judge_served(object, *report, expected, context, verdict);
  add_gpu_note(object, verdict);
  return *std::move(report);
}

}  // namespace

void add_gpu_note(const Json& object, Verdict& verdict) {
  const auto note = object.find("gpu_evidence_error");
  if (note != object.end() && note->is_string())
    verdict.facts["gpu_evidence_error"] = note->get<std::string>().substr(0, 256);
}

std::vector<std::string> attested_addresses(const Verdict& report_verdict) {
  std::vector<std::string> out;
  for (const Json& address : report_verdict.facts.value("attested_addresses", Json::array())) {
    if (address.is_string()) out.push_back(address.get<std::string>());
  }
  return out;
}

std::optional<std::string> attested_address(const Verdict& report_verdict) {
  const Check* identity = report_verdict.find("report_data.identity");
  const std::vector<std::string> all = attested_addresses(report_verdict);
  if (identity == nullptr || identity->state != State::kPass || all.empty()) return std::nullopt;
  return all.front();
}

Verdict judge_instance(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  judge_form(object, expected, context, verdict);
  require_rules(context.policy, verdict);
  return verdict;
}

Verdict judge_legacy_report(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  if (const auto report = judge_form(object, expected, context, verdict)) {
    check_instances(object, *report, expected, context, verdict);
  }
  return verdict;
}

Verdict verify_report(std::string_view report_json, const Expected& expected, const Context& context) {
  const Result<Json> object = codec::parse_json(report_json);
  Verdict verdict;
  if (object) {
    verdict = judge_report(*object, report_json, expected, context);
  } else {
    verdict.subject = "report";
    verdict.add(failed("report.form", object.error().message));
  }
  return verdict;
}

Result<void> check_known_form(std::string_view report_json) {
  const Result<Json> object = codec::parse_json(report_json);
  if (!object) return {};
  const Result<ReportShape> shape = find_shape(*object);
  if (!shape && shape.error().code == ErrorCode::kUnsupported) return shape.error();
  return {};
}

}  // namespace cloister::verify
