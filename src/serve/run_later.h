// How a call waits on the event loop of its exchange. Tests wait by a time of their own.
#pragma once

#include <chrono>
#include <functional>

#include "http/exchange.h"

namespace cloister::serve {

// Runs the job on the loop of the exchange after the delay, unless the loop has ended by then. What the job uses may no
// longer exist, so give it a weak pointer. Any thread, while the exchange has not ended.
using RunLater =
    std::function<void(http::Exchange& exchange, std::chrono::milliseconds delay, std::function<void()> job)>;

// Does it with the loop's own timers. An exchange without a loop drops the job.
void run_later_on_loop(http::Exchange& exchange, std::chrono::milliseconds delay, std::function<void()> job);

}  // namespace cloister::serve
