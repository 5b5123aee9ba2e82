// A look at what an interface answered before it is passed on: that it is a quote, that it is the one asked for, and
// whether it is simulated. Whether it is genuine, only a verifier says. Private to tee.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::tee {

enum class QuoteKind { kTdx, kInsecureSimulator, kSevSnp };

// `from` names the interface in messages. Refused with kTeeFailed: bytes that are no TDX quote, and a quote with other
// report data than `asked`, which is a quote for somebody else.
// kInsecureSimulator: the chain holds the root whose private key is public knowledge. A node that is fed such quotes over
// a real interface says so; one that did not would be refused by every verifier for naming itself real.
Result<QuoteKind> inspect_tdx_quote(ByteView quote, const evidence::ReportData& asked, std::string_view from);

// The same for an SEV-SNP attestation report of 1,184 bytes.
Result<QuoteKind> inspect_snp_report(ByteView report, const evidence::ReportData& asked, std::string_view from);

// An interface keeps its kind: evidence that turns from real to simulated, or back, under a running node is refused.
Result<void> check_same_kind(QuoteKind first, QuoteKind now, std::string_view from);

}  // namespace cloister::tee
