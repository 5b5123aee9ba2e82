#include "base/clock.h"

#include <time.h>

#include <array>
#include <cstdio>

namespace cloister {
namespace {

class SystemClock : public Clock {
 public:
  UnixSeconds now() const override { return ::time(nullptr); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string to_rfc3339(UnixSeconds time) {
  time_t t = time;
  tm parts{};
  gmtime_r(&t, &parts);
  std::array<char, 32> text{};
  std::size_t n = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), n};
}

Result<UnixSeconds> from_rfc3339(std::string_view text) {
  // strptime alone would also accept blanks, missing digits, a leap second and the 31st of February; so the text must
  // equal what its value is written as. The message does not repeat the text, since it may come from outside.
  const std::string copy(text);
  tm parts{};
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end != nullptr) {
    const UnixSeconds time = timegm(&parts);
    if (to_rfc3339(time) == text) return time;
  }
  return fail(ErrorCode::kUsage, "expected a UTC time like 2026-11-22T21:31:00Z");
}

}  // namespace cloister
