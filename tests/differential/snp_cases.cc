// Verifies SEV-SNP reports for the differential test (tests/e2e/test_snp_differential.py). Each line of standard input
// is a case whose parts are separated by tabs: the time in seconds since 1970; the report; the certificates of the
// chip's key, of AMD's authority and of its root. All but the time are in hex, and certificates are in DER. Each line
// of standard output is the result as a JSON object. The policy has no rules for the guest and accepts every patch
// level: the test compares who signed the report, and for which chip.
#include <iostream>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "codec/json.h"
#include "verify/snp.h"

namespace {

using namespace cloister;

verify::Policy lenient() {
  verify::Policy policy;
  policy.tee_kinds = {"sev_snp"};
  policy.snp.min_boot_loader = policy.snp.min_tee = policy.snp.min_snp = policy.snp.min_microcode = policy.snp.min_fmc =
      0;
  policy.boot.allow_any_measurements = true;
  return policy;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == '\t') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::string to_pem(ByteView der) {
  const std::string text = to_base64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) out += text.substr(at, 64) + "\n";
  return out + "-----END CERTIFICATE-----\n";
}

Result<Json> judge(const std::string& line) {
  const std::vector<std::string> parts = split(line);
  if (parts.size() != 5) return fail(ErrorCode::kUsage, "not a case");
  std::vector<Bytes> bytes;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    TRY(one, from_hex(parts[i]));
    bytes.push_back(std::move(one));
  }
  static const verify::Policy policy = lenient();
  verify::Collateral collateral;
  collateral.snp.push_back({bytes[1], to_pem(bytes[2]) + to_pem(bytes[3]), {}});
  const verify::Verdict verdict =
      verify::verify_snp(bytes[0], std::nullopt, {policy, collateral, std::stoll(parts[0])});
  Json out = {{"failed", Json::array()}, {"skipped", Json::array()}};
  for (const verify::Check& check : verdict.checks) {
    if (check.state == verify::State::kFail) out["failed"].push_back(check.id);
    if (check.state == verify::State::kSkipped) out["skipped"].push_back(check.id);
  }
  return out;
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const Result<Json> found = judge(line);
    std::cout << codec::write_json(found ? *found : Json({{"error", found.error().message}})) << '\n' << std::flush;
  }
}
