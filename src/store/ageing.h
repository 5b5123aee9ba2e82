// The time by which records age. It follows the clock, but not at once: a clock that jumps a year ahead (a broken battery,
// a wrong time server) would otherwise delete every receipt in one call, and the clock's correction would come too late.
//
// So it moves at most kCatchUp times as fast as real time, in both directions: 30 days of receipts survive a wrong
// clock for half a day, a node that was off for ten days has caught up within four hours, and a clock that shows 1970
// for a minute costs an hour. A deleted record is past its age both by this time and by the clock.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace cloister::store {

inline constexpr std::int64_t kCatchUp = 60;

// `aged_to` is the records' last time, `elapsed_s` how long ago that was by a clock that never jumps (negative counts as 0).
UnixSeconds follow(UnixSeconds aged_to, UnixSeconds now, std::int64_t elapsed_s);

// Where the time begins in a store that has not saved it: `newest` is the served_at of the newest record, the last
// moment that the store has seen; 0 when it has none.
UnixSeconds first_age(UnixSeconds newest, UnixSeconds now);

// served_at of a record that is just past `age_s` at `time`; records served before that are dropped. It never overflows.
UnixSeconds cut_off(UnixSeconds time, std::int64_t age_s);

// That time in one process, from prune to prune. One thread at a time.
class AgeLine {
 public:
  // Both clocks outlive it.
  AgeLine(const Clock& clock, const Clock& steady) : clock_(clock), steady_(steady), last_s_(steady.now()) {}

  bool begun() const { return begun_; }
  // Begins at the saved time (0: none was saved), with the served_at of the newest record.
  void begin(UnixSeconds saved, UnixSeconds newest);
  // Follows the clock; what is older than its age at the returned time may be deleted.
  UnixSeconds advance();
  // The current time of the records, when it is ten minutes from the saved one: for the next start of the process.
  std::optional<UnixSeconds> to_save() const;
  void was_saved() { saved_ = aged_to_; }

 private:
  const Clock& clock_;
  const Clock& steady_;
  bool begun_ = false;
  UnixSeconds aged_to_ = 0, saved_ = 0;
  std::int64_t last_s_;
};

// How long a document is kept after the receipts that were served when it was made are gone.
inline constexpr std::int64_t kDocumentsOutlive_s = 2 * 86400;

// Seconds since the machine was started, including suspension. It is never destroyed.
const Clock& steady_clock();

}  // namespace cloister::store
