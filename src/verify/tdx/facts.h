// What a quote says of the TD and the platform, as facts of the verdict: true only as far as the verdict is good.
#pragma once

#include "base/json.h"
#include "codec/tdx_quote.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::verify {

// quote_version, tee_tcb_svn, mr_seam, td_attributes, xfam, mr_td ... report_data; all hex.
void add_td_facts(const codec::TdxQuote& quote, Json& facts);
// fmspc, pce_id, sgx_type, ppid_sha256 (the PPID itself is shown to nobody) and what else the certificate has.
void add_platform_facts(const PckExtension& pck, Json& facts);

}  // namespace cloister::verify
