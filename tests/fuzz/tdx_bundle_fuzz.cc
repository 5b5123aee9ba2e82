// TDX collateral bundles. A parsed bundle is written again unchanged. Verifying it adds every check, whatever the
// bundle holds. No check passes for a signature that the authors of the seeds could not make.
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/roots.h"
#include "verify/tdx/collateral_bundle.h"
#include "verify/tdx/collateral_checks.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto bundle = verify::parse_tdx_bundle(as_text(input));
  if (!bundle) return;
  const auto again = verify::parse_tdx_bundle(verify::write_tdx_bundle(*bundle));
  // Text that is not UTF-8 cannot get this far, so the writer replaces nothing.
  FUZZ_CHECK(again && *again == *bundle);
  const verify::JudgedTdxCollateral judged =
      verify::judge_collateral(*bundle, *verify::pinned_root(verify::RootUse::kCpu, verify::RootKind::kVendor));
  verify::Verdict verdict;
  verify::add_collateral_checks(judged, {}, {}, 1780272000, verdict);  // 2026-06-01
  FUZZ_CHECK(verdict.checks.size() == 22);
  for (const verify::Check& check : verdict.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
  FUZZ_CHECK(verdict.outcome() != verify::Outcome::kAccepted);
  for (const char c : verify::to_text(verdict, false)) FUZZ_CHECK(c == '\n' || (c >= 0x20 && c < 0x7f));
}
