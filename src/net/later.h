// Runs a job on an event loop, some time from now: for what has to happen when a connection has been silent.
#pragma once

#include <chrono>
#include <functional>

namespace cloister::net {

class Loop;

// Loop thread only. The job runs on the loop, once, unless the loop ends first; then the job is dropped. What the job
// uses may no longer exist by then, so give it a weak pointer.
void run_later(Loop& loop, std::chrono::milliseconds delay, std::function<void()> job);

}  // namespace cloister::net
