// The time that records age by. It follows the clock, but not at once: a clock that jumps a year ahead (a broken battery,
// a wrong time server) would otherwise delete every receipt in one call, and the clock's correction would come too late.
//
// So it moves at most kCatchUp times as fast as time really passes, in both directions: 30 days of receipts outlive a wrong
// clock for half a day, a node that was off for ten days has caught up within four hours, and a clock that shows 1970 for a
// minute costs an hour. What is deleted is past its age by this time and by the clock.
#pragma once

#include <cstdint>
#include <optional>

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

// That time in one process, from prune to prune. One thread at a time.
class AgeLine {
 public:
  // Both outlive it.
  AgeLine(const Clock& clock, const Clock& steady) : clock_(clock), steady_(steady), last_s_(steady.now()) {}

  bool begun() const { return begun_; }
  // Where it was saved (0: never), and the served_at of the newest record.
  void begin(UnixSeconds saved, UnixSeconds newest);
  // Follows the clock; what is older than its age at the time that comes back may be deleted.
  UnixSeconds advance();
  // Where it is now, when that is ten minutes from where it was saved: for the next start of the process.
  std::optional<UnixSeconds> to_save() const;
  void was_saved() { saved_ = aged_to_; }

 private:
  const Clock& clock_;
  const Clock& steady_;
  bool begun_ = false;
  UnixSeconds aged_to_ = 0, saved_ = 0;
  std::int64_t last_s_;
};

// A document is kept for so long after receipts that were served when it was made have gone.
inline constexpr std::int64_t kDocumentsOutlive_s = 2 * 86400;

// Seconds since the machine was started, suspended or not. Never destroyed.
const Clock& steady_clock();

}  // namespace cloister::store
