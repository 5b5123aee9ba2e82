// The certificates of an AMD machine as tools write them: one file of PEM certificates, the chip's first.
#pragma once

#include <string_view>

#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::verify {

// True when the text is to be parsed as certificates and not as JSON.
bool is_pem_text(std::string_view text);

// Accepts exactly three certificates: VCEK or VLEK, ASK or ASVK, ARK, in this order (AMD 57230, section 4); lines of
// text may stand around them (RFC 7468 section 2). The revocation list is left empty. Errors are kBadCollateral.
Result<SnpCollateral> read_snp_chain_file(std::string_view pem);

}  // namespace cloister::verify
