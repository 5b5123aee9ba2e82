// Sends buffered requests over keep-alive connections for a fixed time. Closed loop: each
// connection sends the next request when the reply is complete; this finds the maximum. Open
// loop: requests are due at a fixed rate whatever the server does, and latency counts from the
// due time, so that every request that had to wait for a stall shows it (no coordinated
// omission).
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "load/options.h"

namespace cloister::bench {

// Blocks until the run is over. One thread. An Error means that there is no result.
Result<Json> run_requests(const Options& options);

}  // namespace cloister::bench
