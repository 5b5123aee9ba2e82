#include "verify/report/tee_kind.h"

#include "evidence/simulator_roots.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

Check check_tee_type(const std::optional<std::string>& named, RootKind root, bool snp) {
  const std::string id = "report.tee_type";
  const std::string actual = named.value_or("none");
  if (root == RootKind::kUnknown) return skipped(id, "the evidence ends in no known root");
  if (root == RootKind::kInsecureSimulator) {
    return compared(id, std::string(evidence::kSimulatorName), actual,
                    "the evidence is simulated and the report does not say so");
  }
  if (!named) return not_applicable(id, "the report names no TEE");
  if (snp) return compared(id, "sev_snp", actual, "the evidence is an SEV-SNP report");
  if (actual == "tdx" || actual == "dstack") return passed(id, actual);
  return failed(id, "the evidence is a TDX quote", "tdx or dstack", actual);
}

}  // namespace

TeeFindings judge_tee(ByteView evidence, const std::optional<std::string>& named, const evidence::BootEvidence& boot,
                      const Context& context, Verdict& verdict) {
  const bool snp = is_snp_report(evidence);
  const TeeFindings findings =
      snp ? judge_snp(evidence, context, verdict) : judge_tdx(evidence, boot, context, verdict);
  verdict.add(check_tee_type(named, findings.root, snp));
  return findings;
}

}  // namespace cloister::verify
