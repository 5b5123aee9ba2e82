// The keyset that a receipt is verified with, and whether a TEE vouched for it.
#pragma once

#include <optional>
#include <string>

#include "evidence/aci/keyset.h"
#include "verify/context.h"
#include "verify/receipt_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct Established {
  std::optional<evidence::Keyset> keyset;
  bool attested = false;                      // a quote binds it, as far as the checks of its report say
  std::string reason;                         // why there is no keyset, or why it is not attested
  bool aggregator = false;                    // the report says that requests are passed on
  std::optional<ByteArray<32>> model_digest;  // from a native report, bound by the quote
  // Digest of the configuration at the time of the report: from a native report, else what an authentic event log names last.
  std::optional<ByteArray<32>> policy_digest;
};

// Verifies `evidence.report`, else parses `evidence.keyset`. Adds the checks of either to the verdict.
Established establish_keyset(const ReceiptEvidence& evidence, const Context& context, Verdict& verdict);

}  // namespace cloister::verify
