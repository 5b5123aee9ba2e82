// What a quote says about the TD and the platform, as facts of the verdict: they are as true as the verdict is good.
#pragma once

#include "base/json.h"
#include "codec/tdx_quote.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::verify {

// quote_version, tee_tcb_svn, mr_seam, td_attributes, xfam, mr_td ... report_data; all hex.
void add_td_facts(const codec::TdxQuote& quote, Json& facts);
// fmspc, pce_id, sgx_type, ppid_sha256 (the PPID itself is never shown) and the certificate's other values.
void add_platform_facts(const PckExtension& pck, Json& facts);

}  // namespace cloister::verify
