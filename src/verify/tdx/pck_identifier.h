// Quotes that name their platform's certificate instead of carrying it (certification types 1 to 3): checks that the
// given certificate is the one that the quote names.
#pragma once

#include <optional>

#include "codec/tdx_quote.h"
#include "verify/tdx/pck_extension.h"
#include "verify/verdict.h"

namespace cloister::verify {

// tdx.pck.identifier. The name is the PPID (16 bytes in the clear, type 1; encrypted for Intel, type 2: 256, type 3:
// 384 bytes), CPUSVN (16), PCESVN (2) and PCEID (2) (Intel SGX DCAP Quoting Library API, appendix 3). `pck` is what the
// given certificate says, absent when there is none that could be read.
Check check_pck_identifier(const codec::TdxQuote& quote, const std::optional<PckExtension>& pck);

}  // namespace cloister::verify
