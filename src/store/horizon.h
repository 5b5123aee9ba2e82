// How far back lookups go.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace cloister::store {

// No receipt is found that was served before `receipts`, and no event hashes of one that was served before `event_hashes`.
struct Horizon {
  UnixSeconds receipts = 0;
  UnixSeconds event_hashes = 0;

  // Finds the same receipts, and no event hashes.
  Horizon without_event_hashes() const { return {receipts, INT64_MAX}; }
};

}  // namespace cloister::store
