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
  // More than a year at a time counts as a year.
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

void AgeLine::begin(UnixSeconds saved, UnixSeconds newest) {
  begun_ = true;
  saved_ = saved;
  aged_to_ = saved != 0 ? saved : first_age(newest, clock_.now());
}

UnixSeconds AgeLine::advance() {
  const UnixSeconds now = clock_.now();
  const std::int64_t steady_now = steady_.now();
  aged_to_ = follow(aged_to_, now, steady_now - last_s_);
  last_s_ = steady_now;
  return std::min(aged_to_, now);
}

std::optional<UnixSeconds> AgeLine::to_save() const {
  constexpr std::int64_t kEvery_s = 600;
  return aged_to_ - saved_ >= kEvery_s || saved_ - aged_to_ >= kEvery_s ? std::optional(aged_to_) : std::nullopt;
}

const Clock& steady_clock() {
  static const SteadyClock clock;
  return clock;
}

}  // namespace cloister::store
