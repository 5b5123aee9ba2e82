// Verifies the events of a receipt: their order, the hashes in them, and what is only claimed.
#pragma once

#include "evidence/aci/receipt.h"
#include "verify/context.h"
#include "verify/receipt/established.h"
#include "verify/receipt_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds receipt.events, receipt.request_hash, receipt.response_hash, receipt.prefix, receipt.rewrite, receipt.upstream,
// receipt.model_digest, receipt.served_model, receipt.known_answers and the fact `claims`.
void check_events(const evidence::Receipt& receipt, const ReceiptEvidence& evidence, const Established& established,
                  const Policy& policy, Verdict& verdict);

}  // namespace cloister::verify
