// A bundle: collateral as one file, so that a later verification needs no network. No piece is trusted because it is in the
// bundle; each is verified by its own signatures, as if it had just been fetched. docs/spec/bundle.md describes the form.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::verify {

// Writes a JSON object `cloister.collateral.v1`. It leaves out nonces of live OCSP requests, and that NRAS keys were
// fetched: both prove nothing to a later reader.
std::string write_bundle(const Collateral& collateral);

// Accepts at most 64 MiB: that form, in which an unknown member is an error; the bare object of one platform that
// dcap-qvl writes (verify/tdx/collateral_bundle.h); and an AMD chip's certificates as PEM (verify/snp/chain_file.h).
// Errors are kBadCollateral and name the member.
Result<Collateral> parse_bundle(std::string_view text);

// Appends `more`. What both hold is kept once, and of two manifests with one id the first is kept. NRAS tokens that
// were fetched replace those that a file brought.
void add_collateral(Collateral& collateral, Collateral more);

// True when the text may be the id of a manifest, and so part of an address or a file name: 1 to 128 letters, digits,
// '.', '_' or '-', not beginning with '.'.
bool is_rim_id(std::string_view text);

}  // namespace cloister::verify
