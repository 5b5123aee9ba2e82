#include "verify/tee.h"

#include "codec/snp_report.h"
#include "verify/boot/boot_checks.h"
#include "verify/simulator_check.h"
#include "verify/snp/snp_checks.h"
#include "verify/tdx/quote_checks.h"

namespace cloister::verify {
namespace {

// The facts that hold for any TEE come before those of the evidence, which cannot replace them.
void add_common(RootKind root, std::string_view kind, std::string_view tee_type, const Context& context,
                Verdict& verdict) {
  verdict.add(check_simulator(root, context.policy));
  verdict.add(check_tee_kind(kind, root, context.policy));
  verdict.facts["tee_type"] = tee_type;
  verdict.facts["judged_at"] = to_rfc3339(context.time);
}

}  // namespace

TeeFindings judge_tdx(ByteView quote, const evidence::BootEvidence& boot, const Context& context, Verdict& verdict) {
  Verdict quote_verdict;
  const QuoteFindings findings = check_quote(quote, context, quote_verdict);
  add_common(findings.root, "tdx", tee_type_of(findings.root), context, verdict);
  verdict.append(std::move(quote_verdict));
  if (!findings.quote) {
    verdict.add(skipped("tee.report_data", "the quote could not be read"));
    skip_boot("the quote could not be read", verdict);
    return {std::nullopt, findings.root};
  }
  verdict.add(check_named_report_data(findings.quote->report.report_data, context.policy));
  check_boot(boot, findings.quote->report, findings.root, context, verdict);
  return {findings.quote->report.report_data, findings.root};
}

TeeFindings judge_snp(ByteView report, const Context& context, Verdict& verdict) {
  Verdict report_verdict;
  const SnpFindings findings = check_snp(report, context, report_verdict);
  const RootKind root = findings.endorsed ? RootKind::kVendor : RootKind::kUnknown;
  add_common(root, "sev_snp", findings.endorsed ? "sev_snp" : "unknown", context, verdict);
  verdict.append(std::move(report_verdict));
  add_boot_without_registers(context.policy, verdict);
  if (!findings.report) {
    verdict.add(skipped("tee.report_data", "the report could not be read"));
    return {std::nullopt, root};
  }
  verdict.add(check_named_report_data(findings.report->report_data, context.policy));
  return {findings.report->report_data, root};
}

bool is_snp_report(ByteView bytes) {
  // A report starts with its version and zeros; in quotes of versions 3 to 5 a non-zero key type follows the version.
  return bytes.size() == codec::kSnpReportSize && bytes[0] >= 2 && bytes[0] <= 5 && bytes[1] == 0 && bytes[2] == 0 &&
         bytes[3] == 0;
}

}  // namespace cloister::verify
