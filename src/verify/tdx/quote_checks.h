// Judges a TDX quote: form, certificate chain, quoting enclave, signature, debug mode (attestation.md sections 2 to 5).
#pragma once

#include <optional>

#include "base/bytes.h"
#include "codec/tdx_quote.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct QuoteFindings {
  std::optional<codec::TdxQuote> quote;   // absent when it could not be read
  RootKind root = RootKind::kUnknown;     // what the chain inside the quote ends in: the quote's word, not the report's
};

// Adds every check tdx.* and the facts of the quote.
QuoteFindings check_quote(ByteView bytes, const Context& context, Verdict& verdict);

}  // namespace cloister::verify
