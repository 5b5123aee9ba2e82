// tee_judge tdx|snp ROOT EVIDENCE BUNDLE POLICY TIME: verifies a TDX quote or an SEV-SNP report under a test's own
// root, which no build of `cloister` accepts. ROOT is a certificate in PEM and TIME is in seconds since 1970. The
// others are files as `cloister verify` reads them. The program prints the verdict as JSON. The exit status is 0 for
// accepted, 1 for rejected, 3 for undetermined, and 2 when the verdict could not be made.
#include <iostream>
#include <string>

#include "base/file.h"
#include "verify/boot/boot_checks.h"
#include "verify/bundle.h"
#include "verify/policy/policy_file.h"
#include "verify/simulator_check.h"
#include "verify/snp/snp_checks.h"
#include "verify/tdx/quote_checks.h"

namespace {

using namespace cloister;

constexpr std::size_t kMostBytes = 8 << 20;

verify::Verdict judge_tdx(const crypto::Certificate& root, ByteView quote, const verify::Context& context) {
  verify::Verdict verdict;
  verdict.subject = "quote";
  verdict.add(verify::check_tee_kind("tdx", verify::RootKind::kVendor, context.policy));
  const verify::QuoteFindings findings = verify::check_quote_under(root, quote, context, verdict);
  if (!findings.quote) {
    verify::skip_boot("the quote could not be read", verdict);
    return verdict;
  }
  verdict.add(verify::check_named_report_data(findings.quote->report.report_data, context.policy));
  verify::check_boot({}, findings.quote->report, verify::RootKind::kVendor, context, verdict);
  return verdict;
}

verify::Verdict judge_snp(const crypto::Certificate& root, ByteView report, const verify::Context& context) {
  const std::string name = root.subject_common_name();
  verify::AmdRoot own{codec::SnpProduct::kGenoa, &root};
  for (const auto product : {codec::SnpProduct::kMilan, codec::SnpProduct::kTurin}) {
    if (name.find(codec::to_text(product)) != std::string::npos) own.product = product;
  }
  return verify::verify_snp_under({&own, 1}, report, std::nullopt, context);
}

Result<int> judge(const std::vector<std::string>& arguments) {
  TRY(root_pem, read_file(arguments[1], kMostBytes));
  TRY(roots, crypto::parse_pem_chain(as_bytes(root_pem), 1));
  if (roots.empty()) return fail(ErrorCode::kUsage, "no root in " + arguments[1]);
  TRY(evidence, read_file(arguments[2], kMostBytes));
  TRY(bundle, read_file(arguments[3], kMostBytes));
  TRY(collateral, verify::parse_bundle(bundle));
  TRY(policy_text, read_file(arguments[4], kMostBytes));
  TRY(policy, verify::parse_policy(policy_text));
  const verify::Context context{policy, collateral, std::stoll(arguments[5])};
  const verify::Verdict verdict = arguments[0] == "snp" ? judge_snp(roots.front(), as_bytes(evidence), context)
                                                        : judge_tdx(roots.front(), as_bytes(evidence), context);
  std::cout << verify::to_json(verdict).dump() << "\n";
  switch (verdict.outcome()) {
    case verify::Outcome::kAccepted: return 0;
    case verify::Outcome::kRejected: return 1;
    case verify::Outcome::kUndetermined: return 3;
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 6 || (arguments[0] != "tdx" && arguments[0] != "snp")) {
    std::cerr << "usage: tee_judge tdx|snp ROOT EVIDENCE BUNDLE POLICY TIME\n";
    return 2;
  }
  const Result<int> status = judge(arguments);
  if (status) return *status;
  std::cerr << "tee_judge: " << status.error().message << "\n";
  return 2;
}
