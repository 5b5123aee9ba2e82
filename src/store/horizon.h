// Where looking back ends.
#pragma once

#include "base/clock.h"

namespace cloister::store {

// Nothing is found that was served before `receipts`, nor event hashes of what was served before `event_hashes`.
struct Horizon {
  UnixSeconds receipts = 0;
  UnixSeconds event_hashes = 0;
};

}  // namespace cloister::store
