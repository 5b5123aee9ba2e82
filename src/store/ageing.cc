#include "store/ageing.h"

#include <time.h>

#include <algorithm>

namespace cloister::store {
namespace {

class SteadyClock : public Clock {
 public:
  UnixSeconds now() const override {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return time.tv_sec;
  }
};

}  // namespace

UnixSeconds follow(UnixSeconds aged_to, UnixSeconds now, std::int64_t elapsed_s) {
  // More than a year at a time is the same as a year.
  const std::int64_t most = std::clamp<std::int64_t>(elapsed_s, 0, 366 * 86400) * kCatchUp;
  std::int64_t wanted = 0;
  if (__builtin_sub_overflow(now, aged_to, &wanted)) wanted = now < aged_to ? INT64_MIN : INT64_MAX;
  return aged_to + std::clamp(wanted, -most, most);
}

UnixSeconds first_age(UnixSeconds newest, UnixSeconds now) { return newest == 0 ? now : std::min(newest, now); }

UnixSeconds cut_off(UnixSeconds time, std::int64_t age_s) {
  UnixSeconds out = 0;
  return __builtin_sub_overflow(time, age_s, &out) ? INT64_MIN : out;
}

const Clock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

}  // namespace cloister::store
