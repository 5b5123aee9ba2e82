// Exact percentiles of recorded times. There are no buckets, because a run is short enough to keep every value.
#pragma once

#include <chrono>
#include <vector>

#include "base/json.h"

namespace cloister::bench {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

inline double to_us(SteadyClock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }
inline double to_s(SteadyClock::duration time) { return std::chrono::duration<double>(time).count(); }

class Series {
 public:
  void add(SteadyClock::duration time) { values_us_.push_back(static_cast<float>(to_us(time))); }
  std::size_t count() const { return values_us_.size(); }
  // Returns the nearest-rank percentile in µs. `share` lies in (0, 1]. The result is 0 when nothing was recorded.
  double percentile(double share) const;
  // Returns {"count","mean","p50","p90","p99","max"}, with times in µs.
  Json summary() const;

 private:
  std::vector<float> values_us_;
};

}  // namespace cloister::bench
