// The main thread of a serving process: waits for signals while others work.
#pragma once

#include <signal.h>

#include <functional>

#include "base/result.h"
#include "engine/engine.h"

namespace cloister::apps {

// Blocks SIGINT, SIGTERM and SIGHUP for this thread and for threads that it makes later, so that wait_for_stop() gets them.
sigset_t block_signals();

// Returns when SIGINT or SIGTERM asks to stop, or with an Error when the model fails to load. Tells the service manager
// when the engine is ready; from then on calls `now_and_then` every ten minutes. Each SIGHUP calls `reload`.
Result<void> wait_for_stop(const sigset_t& signals, const engine::Engine& engine,
                           const std::function<void()>& now_and_then, const std::function<void()>& reload);

}  // namespace cloister::apps
