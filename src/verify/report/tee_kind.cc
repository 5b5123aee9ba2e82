#include "verify/report/tee_kind.h"

#include "evidence/simulator_roots.h"
#include "verify/boot/boot_checks.h"
#include "verify/check.h"
#include "verify/simulator_check.h"

namespace cloister::verify {
namespace {

Check check_tee_type(const std::optional<std::string>& named, RootKind root) {
  const std::string id = "report.tee_type";
  const std::string actual = named.value_or("none");
  if (root == RootKind::kUnknown) return skipped(id, "the quote ends in no known root");
  if (root == RootKind::kInsecureSimulator) {
    return compared(id, std::string(evidence::kSimulatorName), actual,
                    "the evidence is simulated and the report does not say so");
  }
  if (!named) return not_applicable(id, "the report names no TEE");
  if (actual == "tdx" || actual == "dstack") return passed(id, actual);
  return failed(id, "the evidence is a TDX quote", "tdx or dstack", actual);
}

}  // namespace

QuoteFindings judge_tee(ByteView quote, const std::optional<std::string>& named, const evidence::BootEvidence& boot,
                        const Context& context, Verdict& verdict) {
  Verdict quote_verdict;
  QuoteFindings findings = check_quote(quote, context, quote_verdict);
  verdict.add(check_simulator(findings.root, context.policy));
  verdict.add(check_tee_type(named, findings.root));
  verdict.facts["tee_type"] = tee_type_of(findings.root);
  verdict.facts["judged_at"] = to_rfc3339(context.time);
  verdict.append(std::move(quote_verdict));
  if (findings.quote) {
    check_boot(boot, findings.quote->report, findings.root, context, verdict);
  } else {
    skip_boot("the quote could not be read", verdict);
  }
  return findings;
}

}  // namespace cloister::verify
