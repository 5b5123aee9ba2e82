// Concurrent SSE streams, a connection for each stream, with the time of every event. Counts are
// exact: a stream that has another number of events or tokens than expected, or no [DONE], makes
// the run an error.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "load/options.h"

namespace cloister::bench {

// Blocks until the run is over. One thread. An Error means that there is no result.
Result<Json> run_streams(const Options& options);

}  // namespace cloister::bench
