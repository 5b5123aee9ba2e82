// Verifies a TDX quote: form, certificate chain, quoting enclave, signature, debug mode.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "codec/tdx_quote.h"
#include "verify/context.h"
#include "verify/roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct QuoteFindings {
  std::optional<codec::TdxQuote> quote;  // absent when it could not be read
  RootKind root =
      RootKind::kUnknown;  // the root of the chain inside the quote: the quote's statement, not the report's
};

// Adds every check tdx.* and the facts of the quote.
QuoteFindings check_quote(ByteView bytes, const Context& context, Verdict& verdict);

// For tests of whole quotes whose makers are no CPU maker: check_quote() with `vendor_root` in place of Intel's.
// Nothing is kept in the context's cache.
QuoteFindings check_quote_under(const crypto::Certificate& vendor_root, ByteView bytes, const Context& context,
                                Verdict& verdict);

}  // namespace cloister::verify
