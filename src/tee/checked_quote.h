// Inspects what an interface answered before it is passed on: that it is a quote, that it is the one asked for, and
// whether it is simulated. Only a verifier can say whether it is genuine. Private to tee.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::tee {

enum class QuoteKind { kTdx, kInsecureSimulator, kSevSnp };

// `from` names the interface in messages. kTeeFailed refuses bytes that are no TDX quote, and a quote with other report
// data than `asked`, which was made for somebody else. kInsecureSimulator: the chain holds the root whose private key
// is public. A node that gets such quotes over a real interface says so; otherwise every verifier would refuse the node
// because it claims to be real.
Result<QuoteKind> inspect_tdx_quote(ByteView quote, const evidence::ReportData& asked, std::string_view from);

// Like inspect_tdx_quote() for an SEV-SNP attestation report of 1,184 bytes.
Result<QuoteKind> inspect_snp_report(ByteView report, const evidence::ReportData& asked, std::string_view from);

// An interface keeps its kind: evidence that changes from real to simulated, or back, while a node runs is refused.
Result<void> check_same_kind(QuoteKind first, QuoteKind now, std::string_view from);

}  // namespace cloister::tee
