#include "verify/report.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/simulator_roots.h"
#include "verify/boot/boot_checks.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/binding.h"
#include "verify/report/form.h"
#include "verify/report/identity.h"
#include "verify/simulator_check.h"
#include "verify/tdx/quote_checks.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostInstances = 64;

// The list of instances must hold the report that stands above it; what it says of other instances is not judged.
Check check_all_attestations(const Json& object, const ServedReport& report) {
  const std::string id = "report.all_attestations";
  const auto list = object.find("all_attestations");
  if (list == object.end() || list->is_null()) return not_applicable(id, "the report lists no instances");
  if (!list->is_array() || list->empty() || list->size() > kMostInstances) {
    return failed(id, "expected an array of 1 to 64 reports");
  }
  bool found = false;
  for (const Json& element : *list) {
    const Result<ServedReport> other = parse_served_report(element);
    if (!other) return failed(id, other.error().message);
    if (const auto identity = parse_identity(other->signing_algo, other->signing_address); !identity) {
      return failed(id, "signing_address: " + identity.error().message);
    }
    found |= report.same_evidence(*other);
  }
  if (!found) return failed(id, "no instance in the list is the one that the report describes");
  const std::size_t others = list->size() - 1;
  return passed(id, std::to_string(list->size()) + " listed",
                others == 0 ? "" : std::to_string(others) + " other instances are not judged here");
}

Check check_signing_address(const ServedReport& report, const Result<Bytes>& identity) {
  const std::string id = "report.signing_address";
  if (!identity) return failed(id, identity.error().message, {}, report.signing_address);
  if (!report.signing_public_key) return passed(id, report.signing_address, "the report shows no public key");
  if (auto match = check_public_key(report.signing_algo, *report.signing_public_key, *identity); !match) {
    return failed(id, match.error().message, report.signing_address, *report.signing_public_key);
  }
  return passed(id, report.signing_address);
}

Check check_nonce(const ServedReport& report, const Expected& expected) {
  if (!expected.nonce) {
    return skipped("report.nonce", "no nonce of the verifier's own was given: the report may be old");
  }
  return compared("report.nonce", to_hex(*expected.nonce), to_hex(report.request_nonce),
                  "the report answers another nonce");
}

Check check_tee_type(const ServedReport& report, RootKind root) {
  const std::string id = "report.tee_type";
  const std::string actual = report.tee_type.value_or("none");
  if (root == RootKind::kUnknown) return skipped(id, "the quote ends in no known root");
  if (root == RootKind::kInsecureSimulator) {
    return compared(id, std::string(evidence::kSimulatorName), actual,
                    "the evidence is simulated and the report does not say so");
  }
  if (!report.tee_type) return not_applicable(id, "the report names no TEE");
  if (actual == "tdx" || actual == "dstack") return passed(id, actual);
  return failed(id, "the evidence is a TDX quote", "tdx or dstack", actual);
}

void add_facts(const ServedReport& report, RootKind root, UnixSeconds time, Json& facts) {
  facts["tee_type"] = tee_type_of(root);
  facts["signing_address"] = report.signing_address;
  facts["signing_algo"] = evidence::to_text(report.signing_algo);
  facts["judged_at"] = to_rfc3339(time);
}

}  // namespace

std::optional<std::string> attested_address(const Verdict& report_verdict) {
  const Check* identity = report_verdict.find("report_data.identity");
  if (identity == nullptr || identity->state != State::kPass) return std::nullopt;
  return report_verdict.facts.value("signing_address", std::string());
}

Verdict verify_report(std::string_view report_json, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<Json> object = codec::parse_json(report_json);
  const Result<ServedReport> parsed = object ? parse_served_report(*object) : Result<ServedReport>(object.error());
  if (!parsed) {
    verdict.add(failed("report.form", parsed.error().message));
    return verdict;
  }
  const ServedReport& report = *parsed;
  verdict.add(passed("report.form"));
  verdict.add(check_all_attestations(*object, report));
  const Result<Bytes> identity = parse_identity(report.signing_algo, report.signing_address);
  verdict.add(check_signing_address(report, identity));
  verdict.add(check_nonce(report, expected));

  Verdict quote_verdict;
  const QuoteFindings quote = check_quote(report.quote, context, quote_verdict);
  verdict.add(check_simulator(quote.root, context.policy));
  verdict.add(check_tee_type(report, quote.root));
  add_facts(report, quote.root, context.time, verdict.facts);
  verdict.append(std::move(quote_verdict));

  if (quote.quote) {
    check_boot(report.boot, quote.quote->report, quote.root, context, verdict);
  } else {
    skip_boot("the quote could not be read", verdict);
  }
  if (quote.quote && identity) {
    check_report_data(report, *identity, quote.quote->report.report_data, expected, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.tls"},
             quote.quote ? "the signing address could not be read" : "the quote could not be read");
  }
  check_gpus(report.nvidia_payload, expected.nonce.value_or(report.request_nonce), quote.root, context, verdict);
  return verdict;
}

}  // namespace cloister::verify
