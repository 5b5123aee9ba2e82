#include "collateral/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace cloister::collateral {

void run_parallel(const std::vector<std::function<void()>>& jobs, std::size_t threads) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t at = next++; at < jobs.size(); at = next++) jobs[at]();
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < std::min(threads, jobs.size()); ++i) others.emplace_back(work);
  work();
}

}  // namespace cloister::collateral
