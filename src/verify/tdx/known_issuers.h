// The certificates under Intel's root that nearly every quote and its collateral repeat. They are parsed, and the root's signatures
// on them verified, once in a process instead of once for each quote. No certificate is trusted because it is here: evidence with
// other certificates is verified with those, and these are verified like any other, including their validity at each verdict.
#pragma once

#include <vector>

#include "crypto/x509.h"

namespace cloister::verify {

struct KnownIssuers {
  std::vector<crypto::Certificate> certificates;
  crypto::VerifiedLinks links;  // links up to the pinned root
};

// Any thread. The first call verifies them.
const KnownIssuers& known_issuers();

}  // namespace cloister::verify
