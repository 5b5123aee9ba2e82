// A bundle: collateral as one file, so that a later verification needs no network. Nothing in it is believed for being
// there; each piece is judged by its own signatures, as if it had just been fetched. The form: docs/spec/bundle.md.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::verify {

// A JSON object `cloister.collateral.v1`. Nonces of live OCSP requests are left out, and that NRAS keys were fetched:
// both prove nothing to a later reader.
std::string write_bundle(const Collateral& collateral);

// At most 64 MiB. Takes that form, where a member too many is an error, the bare object of one platform that dcap-qvl
// writes (verify/tdx/collateral_bundle.h), and an AMD chip's certificates as PEM (verify/snp/chain_file.h). Errors are
// kBadCollateral and name the member.
Result<Collateral> parse_bundle(std::string_view text);

// Puts `more` behind what is there; what both hold stays once, and of two manifests with one id the first stays. Tokens
// of NRAS that were fetched take the place of those that a file brought.
void add_collateral(Collateral& collateral, Collateral more);

// True when the text may be the id of a manifest, and so part of an address or a file name: 1 to 128 letters, digits,
// '.', '_' or '-', not beginning with '.'.
bool is_rim_id(std::string_view text);

}  // namespace cloister::verify
