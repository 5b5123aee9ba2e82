// Judges an attested session (ACI `aci/1`, section 9.2): a gateway's record of an upstream TEE, with the evidence that
// it was judged by, judged again here.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Views: what they name outlives the call. What is absent makes its check skipped.
struct SessionEvidence {
  std::string_view session;                    // JSON text as served
  std::optional<ByteArray<32>> id;             // by which somebody named it
  // JSON text of the receipt that names it: its id, and the time that has to lie in the session. The receipt itself is
  // verify_receipt()'s to verify; until that is done, the time in it opens nothing that has expired.
  std::optional<std::string_view> receipt;
  bool receipt_verified = false;               // in the same verdict
};

// The checks session.*, and those of the upstream's own evidence under "upstream.", where that is a report of a form
// that verify_report() knows or a bare quote. The gateway made the nonce of that evidence, so that report.nonce is
// skipped there, and required unless the policy accepts a gateway's claims. What the gateway claims of the upstream is shown under the fact `claims` and never passes.
Verdict verify_session(const SessionEvidence& evidence, const Context& context);

}  // namespace cloister::verify
