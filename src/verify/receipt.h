// Verifies the receipt of a reply (ACI `aci/1`) against the keyset that a TEE vouched for.
#pragma once

#include "verify/context.h"
#include "verify/receipt_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds the checks of the report, then receipt.*, then session.* where one is given. What the service claims about others
// and itself (`upstream.verified` and events of unknown types) is shown under the fact `claims` and never passes.
Verdict verify_receipt(const ReceiptEvidence& evidence, const Context& context);

}  // namespace cloister::verify
