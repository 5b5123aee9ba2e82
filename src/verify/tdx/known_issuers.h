// The certificates under Intel's root that nearly every quote and its collateral repeat. Reading them and verifying that the
// root signed them is done once in a process instead of once for each quote. Nothing is trusted for being here: evidence
// with other certificates is judged by those, and these are looked at like any other, their validity at each judgement.
#pragma once

#include <vector>

#include "crypto/x509.h"

namespace cloister::verify {

struct KnownIssuers {
  std::vector<crypto::Certificate> certificates;
  crypto::VerifiedLinks links;  // to the pinned root
};

// Any thread. The first call verifies them.
const KnownIssuers& known_issuers();

}  // namespace cloister::verify
