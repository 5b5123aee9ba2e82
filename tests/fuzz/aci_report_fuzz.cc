// Reports that bind a keyset (ACI's and Cloister's own) and gateways' wrappings. Any text gets a verdict. No text is
// accepted on simulated evidence that the policy does not accept. A keyset that was parsed has the digest of its
// document.
#include "codec/json.h"
#include "evidence/aci/report.h"
#include "evidence/native_report.h"
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/report.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01
  const auto json = codec::parse_json(as_text(input));
  if (json) {
    if (const auto report = evidence::parse_aci_report(*json)) {
      const auto digest = evidence::document_digest(json->at("attestation").at("workload_keyset"));
      FUZZ_CHECK(digest.has_value() && *digest == report->keyset.digest);
    }
    if (const auto report = evidence::parse_native_report(*json)) {
      const std::string text = evidence::native_statement(report->statement);
      const auto digest = evidence::document_digest(json->at("statement"));
      // A null and an absent member are parsed alike. The statement that is verified has all members.
      FUZZ_CHECK(json->at("statement").size() != 6 || (digest.has_value() && codec::parse_json(text).has_value()));
    }
  }
  verify::Expected expected;
  expected.nonce.emplace().fill(0x5a);
  expected.no_connection = true;
  const verify::Policy policy{.accept_simulator = true};
  const verify::Verdict by_name = verify::verify_report(as_text(input), expected, {policy, {}, kTime});
  FUZZ_CHECK(!by_name.checks.empty());
  for (const verify::Check& check : by_name.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
  for (const char c : verify::to_text(by_name, false)) FUZZ_CHECK(c == '\n' || (c >= 0x20 && c < 0x7f));
  FUZZ_CHECK(by_name.outcome() != verify::Outcome::kAccepted || by_name.facts["tee_type"] == "insecure_simulator");
  const verify::Policy strict;
  FUZZ_CHECK(verify::verify_report(as_text(input), expected, {strict, {}, kTime}).outcome() !=
             verify::Outcome::kAccepted);
}
