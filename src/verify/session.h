// Verifies an attested session (ACI `aci/1`, section 9.2): a gateway's record of an upstream TEE, with the evidence
// that the gateway verified, which is verified again here.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// All members are views of data that outlives the call. A check whose data is absent is skipped.
struct SessionEvidence {
  std::string_view session;         // JSON text as served
  std::optional<ByteArray<32>> id;  // the id by which somebody named the session
  // JSON text of the receipt that names it: its id, and the time that has to lie in the session. verify_receipt()
  // verifies the receipt itself; until that is done, the time in it accepts nothing that has expired.
  std::optional<std::string_view> receipt;
  bool receipt_verified = false;  // the receipt was verified in the same verdict
};

// Adds the checks session.*, and under "upstream." those of the upstream's own evidence, where that is a report of a form that
// verify_report() knows or a bare quote. The gateway made the nonce of that evidence, so report.nonce is skipped there, and required
// unless the policy accepts a gateway's claims. The gateway's claims about the upstream are shown under the fact `claims` and never pass.
Verdict verify_session(const SessionEvidence& evidence, const Context& context);

}  // namespace cloister::verify
