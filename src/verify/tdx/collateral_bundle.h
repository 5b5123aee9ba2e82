// The collateral of one platform as a JSON object, in the form that dcap-qvl keeps: pck_crl_issuer_chain, root_ca_crl,
// pck_crl, tcb_info_issuer_chain, tcb_info, tcb_info_signature, qe_identity_issuer_chain, qe_identity,
// qe_identity_signature, optionally pck_certificate_chain; each is a string.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::verify {

// Accepts at most 8 MiB. All nine are required, may be empty (then what needs them is skipped), and are taken
// unchanged: the checks parse them. Revocation lists are hex of DER, or PEM. Unknown members are ignored.
Result<TdxCollateral> parse_tdx_bundle(std::string_view json);
Result<TdxCollateral> read_tdx_bundle(const Json& object);
// Writes the object from which parse_tdx_bundle() gives the same collateral again.
Json tdx_bundle_json(const TdxCollateral& collateral);
std::string write_tdx_bundle(const TdxCollateral& collateral);

}  // namespace cloister::verify
