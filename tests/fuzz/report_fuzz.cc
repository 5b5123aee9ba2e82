// Attestation reports. Any text gets a verdict. No text is accepted on simulated evidence that the policy does not
// accept. The printed verdict holds no control characters.
#include "codec/json.h"
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/report.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01
  verify::Expected expected;
  expected.nonce.emplace().fill(0x5a);
  const verify::Verdict by_name =
      verify::verify_report(as_text(input), expected, {{.accept_simulator = true}, {}, kTime});
  FUZZ_CHECK(!by_name.checks.empty());
  for (const verify::Check& check : by_name.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
  for (const char c : verify::to_text(by_name, false)) FUZZ_CHECK(c == '\n' || (c >= 0x20 && c < 0x7f));
  FUZZ_CHECK(codec::parse_json(codec::write_json(verify::to_json(by_name))).has_value());

  // The keys of every seed are simulated. So no input that grows from a seed can lead to a vendor's root and be
  // accepted.
  const verify::Verdict strict = verify::verify_report(as_text(input), expected, {{}, {}, kTime});
  FUZZ_CHECK(strict.outcome() != verify::Outcome::kAccepted);
  FUZZ_CHECK(by_name.outcome() != verify::Outcome::kAccepted || by_name.facts["tee_type"] == "insecure_simulator");
}
