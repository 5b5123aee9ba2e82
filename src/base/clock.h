// Clock: the only access to the time of day, so that tests need no sleep and verification takes an explicit time.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace cloister {

// Seconds since 1970-01-01T00:00:00Z.
using UnixSeconds = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixSeconds now() const = 0;
};

// The machine's clock. It is never destroyed.
const Clock& system_clock();

class FakeClock : public Clock {
 public:
  explicit FakeClock(UnixSeconds now) : now_(now) {}
  UnixSeconds now() const override { return now_; }
  void set(UnixSeconds now) { now_ = now; }
  void advance(std::int64_t seconds) { now_ += seconds; }

 private:
  UnixSeconds now_;
};

// RFC 3339 in UTC with second precision: 2026-11-22T21:31:00Z.
std::string to_rfc3339(UnixSeconds time);
Result<UnixSeconds> from_rfc3339(std::string_view text);

}  // namespace cloister
