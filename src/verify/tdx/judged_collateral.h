// What holds for a platform's collateral at any time: it is parsed once and its signatures are verified once. Verifying a
// quote with it then needs the time windows, the revocation lookups and the levels (collateral_checks.h, tcb_checks.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/tcb_info.h"
#include "crypto/crl.h"
#include "crypto/x509.h"
#include "verify/check.h"
#include "verify/collateral.h"

namespace cloister::verify {

// TCB info or QE identity: {form, chain, signature} are the checks of its `prefix`; a chain that passes has yet to be
// compared with the time.
struct JudgedDocument {
  Check form, chain, signature, kind;
  std::vector<crypto::Certificate> certificates;  // signing leaf and root; empty when they could not be read
  // Dates in the document; absent when the document could not be read.
  std::optional<UnixSeconds> issue_date, next_update;
};

struct JudgedCrl {
  Check form, signature;
  std::optional<crypto::Crl> crl;  // absent when it could not be read
};

struct JudgedTdxCollateral {
  TdxCollateral source;
  std::optional<codec::TcbInfo> tcb_info;  // levels sorted
  std::optional<codec::QeIdentity> qe_identity;
  JudgedDocument tcb_info_document, qe_identity_document;
  JudgedCrl root_crl, pck_crl;
  Check pck_crl_chain;
  std::vector<crypto::Certificate> pck_crl_certificates;  // intermediate and root
  crypto::VerifiedLinks links;                            // found while the chains were verified
};

// `root` is the root that every chain of the collateral must end with.
JudgedTdxCollateral judge_collateral(const TdxCollateral& collateral, const crypto::Certificate& root);

}  // namespace cloister::verify
