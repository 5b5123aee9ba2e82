// Runs independent jobs that mostly wait. Private to collateral.
#pragma once

#include <functional>
#include <vector>

namespace cloister::collateral {

// Runs each job once, at most `threads` at a time, on threads that end before this returns. Jobs must not throw.
void run_parallel(const std::vector<std::function<void()>>& jobs, std::size_t threads);

}  // namespace cloister::collateral
