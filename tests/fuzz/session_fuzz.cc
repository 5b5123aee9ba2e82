// Sessions. Any text gets a verdict. No session is accepted without evidence of the upstream. The id is that of the
// canonical form, however the document was written.
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/session.h"
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/session.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  constexpr UnixSeconds kTime = 1750000000;
  const auto parsed = evidence::parse_session(as_text(input));
  verify::SessionEvidence evidence;
  evidence.session = as_text(input);
  if (parsed) {
    evidence.id = parsed->id;
    const auto json = codec::parse_json(as_text(input), {16u << 20, 32});
    FUZZ_CHECK(json.has_value() && crypto::sha256(as_bytes(*codec::write_jcs(*json))) == parsed->id);
  }
  verify::Policy policy;
  policy.require_nonce = false;
  const verify::Verdict verdict = verify::verify_session(evidence, {policy, {}, kTime});
  FUZZ_CHECK(verdict.outcome() != verify::Outcome::kAccepted);
  const verify::Check* form = verdict.find("session.form");
  FUZZ_CHECK(form != nullptr && (form->state == verify::State::kPass) == parsed.has_value());
  for (const verify::Check& check : verdict.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
  for (const char c : verify::to_text(verdict, false)) FUZZ_CHECK(c == '\n' || (c >= 0x20 && c < 0x7f));
}
