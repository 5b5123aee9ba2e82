// SEV-SNP reports. Any bytes get a verdict. No report is accepted without certificates.
#include "codec/snp_report.h"
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/snp.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto report = codec::parse_snp_report(input);
  FUZZ_CHECK(!report || input.size() == codec::kSnpReportSize);
  FUZZ_CHECK(!report || equal(report->signed_region, input.first(codec::kSnpSignedSize)));
  verify::Policy policy;
  policy.boot.allow_any_measurements = true;
  const verify::Collateral collateral;
  const verify::Verdict verdict = verify::verify_snp(input, Bytes(64), {policy, collateral, 1780272000});
  FUZZ_CHECK(verdict.outcome() != verify::Outcome::kAccepted);
  FUZZ_CHECK((verdict.find("snp.report.form")->state == verify::State::kPass) == report.has_value());
  for (const verify::Check& check : verdict.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
}
