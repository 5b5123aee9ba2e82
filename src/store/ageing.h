// The time that records age by. It follows the clock, but not at once: a clock that jumps a year ahead (a broken battery,
// a wrong time server) would otherwise delete every receipt in one call, and the clock's correction would come too late.
//
// So it moves at most kCatchUp times as fast as time really passes, in both directions: 30 days of receipts outlive a wrong
// clock for half a day, a node that was off for ten days has caught up within four hours, and a clock that shows 1970 for a
// minute costs an hour. What is deleted is past its age by this time and by the clock.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace cloister::store {

inline constexpr std::int64_t kCatchUp = 60;

// `aged_to` is where the records' time was, `elapsed_s` how long ago by a clock that never jumps (negative counts as 0).
UnixSeconds follow(UnixSeconds aged_to, UnixSeconds now, std::int64_t elapsed_s);

// Where it begins in a store that does not say: `newest` is the served_at of the newest record, the last moment that the
// store has seen; 0 when it has none.
UnixSeconds first_age(UnixSeconds newest, UnixSeconds now);

// served_at of a record that is just past `age_s` at `time`; what was served before goes. Never overflows.
UnixSeconds cut_off(UnixSeconds time, std::int64_t age_s);

// Seconds since the machine was started, suspended or not. Never destroyed.
const Clock& steady_clock();

}  // namespace cloister::store
