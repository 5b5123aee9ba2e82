// Sends buffered requests over keep-alive connections for a fixed time. In a closed loop, each connection sends the
// next request when the reply is complete; this finds the maximum rate. In an open loop, requests are due at a fixed
// rate whatever the server does. Latency then counts from the due time, so that every request that waited for a stall
// shows the wait (no coordinated omission).
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "load/options.h"

namespace cloister::bench {

// The call blocks until the run is over and uses one thread. An Error means that there is no result.
Result<Json> run_requests(const Options& options);

}  // namespace cloister::bench
