// Verifies the beginning of a streamed reply against the receipt of the whole reply (docs/spec/receipt.md).
#pragma once

#include "evidence/aci/receipt.h"
#include "verify/context.h"
#include "verify/receipt_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Adds receipt.prefix, and the facts `prefix_events` and `total_events`. Only where a prefix proof is given.
void check_prefix(const evidence::Receipt& receipt, const ReceiptEvidence& evidence, Verdict& verdict);

}  // namespace cloister::verify
