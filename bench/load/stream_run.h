// Runs concurrent SSE streams with one connection for each stream, and records the time of every event. Counts are
// exact: a stream with an unexpected number of events or tokens, or without [DONE], makes the run an error.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "load/options.h"

namespace cloister::bench {

// The call blocks until the run is over and uses one thread. An Error means that there is no result.
Result<Json> run_streams(const Options& options);

}  // namespace cloister::bench
