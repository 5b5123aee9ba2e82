#include "serve/measured_event.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "base/log.h"

namespace cloister::serve {

Result<void> measure_event(tee::Tee& tee, std::string_view name, const ByteArray<32>& digest) {
  TRY(events, tee.event_log());
  const auto last = std::find_if(events.rbegin(), events.rend(), [&](const evidence::Event& event) {
    return event.imr == evidence::kRuntimeRegister && event.event_type == evidence::kRuntimeEventType &&
           event.name == name;
  });
  const std::string shown = std::string(name) + " sha256:" + to_hex(digest);
  if (last != events.rend() && equal(last->payload, digest)) {
    log::info("measured before: " + shown);
    return {};
  }
  const Result<void> extended = tee.extend_event(name, digest);
  if (extended) {
    log::info("measured into RTMR3: " + shown);
    return {};
  }
  if (extended.error().code != ErrorCode::kUnsupported) return extended.error();
  log::warn("not measured into RTMR3: " + shown + ": " + extended.error().message);
  return {};
}

}  // namespace cloister::serve
