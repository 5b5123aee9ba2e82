// Verifies TDX quotes for the differential test (tests/e2e/test_tdx_differential.py). Each line of standard input is a
// case whose parts are separated by tabs: the root in PEM as hex, or "-" for the pinned one; the time in seconds since
// 1970; the quote in hex; the collateral as a JSON bundle. Each line of standard output is the result as a JSON object.
// The policy accepts every TCB status, so that only the verification can differ and not the policy.
#include <iostream>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "verify/roots.h"
#include "verify/tdx/collateral_bundle.h"
#include "verify/tdx/quote_checks.h"

namespace {

using namespace cloister;

verify::Policy lenient() {
  verify::Policy policy;
  policy.tdx.accepted_tcb_statuses = {"UpToDate",
                                      "SWHardeningNeeded",
                                      "ConfigurationNeeded",
                                      "ConfigurationAndSWHardeningNeeded",
                                      "OutOfDate",
                                      "OutOfDateConfigurationNeeded",
                                      "TDRelaunchAdvised",
                                      "TDRelaunchAdvisedConfigurationNeeded"};
  policy.boot.allow_any_measurements = true;
  return policy;
}

std::string take(std::string& line) {
  const std::size_t tab = line.find('\t');
  std::string out = line.substr(0, tab);
  line.erase(0, tab == std::string::npos ? line.size() : tab + 1);
  return out;
}

Result<Json> judge(std::string line) {
  const std::string root_hex = take(line), time = take(line), quote_hex = take(line);
  const auto root_pem = from_hex(root_hex == "-" ? "" : root_hex);
  const auto quote = from_hex(quote_hex);
  if (!root_pem || !quote || time.empty()) return fail(ErrorCode::kUsage, "not a case");
  const crypto::Certificate* root = verify::pinned_root(verify::RootUse::kCpu, verify::RootKind::kVendor);
  std::vector<crypto::Certificate> given;
  if (root_hex != "-") {
    TRY(parsed, crypto::parse_pem_chain(*root_pem, 1));
    given = std::move(parsed);
    root = &given.front();
  }
  static const verify::Policy policy = lenient();
  verify::Collateral collateral;
  TRY(bundle, verify::parse_tdx_bundle(line));
  collateral.tdx.push_back(std::move(bundle));
  verify::Verdict verdict;
  verify::check_quote_under(*root, *quote, {policy, collateral, std::stoll(time)}, verdict);
  Json out = {{"failed", Json::array()}, {"skipped", Json::array()}};
  for (const verify::Check& check : verdict.checks) {
    if (check.state == verify::State::kFail) out["failed"].push_back(check.id);
    if (check.state == verify::State::kSkipped) out["skipped"].push_back(check.id);
  }
  for (const char* fact : {"tcb_status", "advisory_ids", "tcb_date"}) out[fact] = verdict.facts.value(fact, Json());
  return out;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const Result<Json> found = judge(std::move(line));
    std::cout << codec::write_json(found ? *found : Json({{"error", found.error().message}})) << '\n' << std::flush;
  }
}
