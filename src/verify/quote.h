// Verifies a TDX quote by itself: that it is genuine, that its platform is healthy, and that its TD is set up
// correctly. A pure function of (quote, collateral, policy, time).
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/boot_evidence.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Returns every check tdx.*, boot.* and tee.simulator, and the facts of the quote. Any bytes lead to a verdict: what is
// not a well-formed quote fails tdx.quote.form. `boot` is what there is next to the quote: event log, CCEL log, compose
// text ...; without it the registers are still compared with what the policy expects. Freshness is tee.report_data:
// where the policy names no report data, it is skipped, and required while the policy requires a nonce.
Verdict verify_quote(ByteView quote, const Context& context, const evidence::BootEvidence& boot = {});

// Returns the quote in a file of at most 1 MiB, which holds the quote's bytes, hex (perhaps after 0x) or base64; white
// space around and in the text does not matter. An Error when the file holds nothing that could be a quote of any kind,
// which is different from a quote that fails a check: a quote has to begin as quotes do, by its version and key type or
// by Intel's vendor id.
Result<Bytes> read_quote_text(std::string_view file);

}  // namespace cloister::verify
