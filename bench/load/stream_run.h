// Runs concurrent SSE streams, with one connection for each stream and the time of every event. Counts are
// exact: a stream with another number of events or tokens than expected, or without [DONE], makes the run an
// error.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "load/options.h"

namespace cloister::bench {

// Blocks until the run is over. One thread. An Error means that there is no result.
Result<Json> run_streams(const Options& options);

}  // namespace cloister::bench
