#include "identity/measured_event.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/log.h"
#include "evidence/event_log.h"

namespace cloister::identity {
namespace {

using evidence::Event;

// True when the last event of this name holds this payload. An entry whose digest does not match its name and payload
// does not count, since the register was not extended by what the entry shows.
bool is_in_force(const std::vector<Event>& events, std::string_view name, ByteView payload) {
  const auto last = std::find_if(events.rbegin(), events.rend(), [&](const Event& event) {
    return event.imr == evidence::kRuntimeRegister && event.event_type == evidence::kRuntimeEventType &&
           event.name == name;
  });
  if (last == events.rend() || !equal(last->payload, payload)) return false;
  return last->version != 1 || last->digest == evidence::runtime_event_digest(name, payload);
}

Error about(std::string_view name, const Error& error) {
  Error out = error;
  out.message = "the event " + std::string(name) + " cannot be measured: " + error.message;
  return out;
}

}  // namespace

Result<void> measure_event(tee::Tee& tee, std::string_view name, const ByteArray<32>& digest, Unmeasured unmeasured) {
  // Reading the log and extending are two steps, so calls take turns.
  static std::mutex turns;
  const std::lock_guard lock(turns);
  const std::string shown = " event=" + std::string(name) + " digest=sha256:" + to_hex(digest);
  const Result<std::vector<Event>> events = tee.event_log();
  if (events) {
    if (is_in_force(*events, name, digest)) {
      log::info("measured already" + shown);
      return {};
    }
  } else if (events.error().code != ErrorCode::kUnsupported) {
    return about(name, events.error());
  }
  const Result<void> extended = tee.extend_event(name, digest);
  if (extended) {
    log::info("measured" + shown);
    return {};
  }
  if (extended.error().code != ErrorCode::kUnsupported || unmeasured == Unmeasured::kRefused)
    return about(name, extended.error());
  log::warn("not measured, the quote alone binds it:" + shown + " reason=" + extended.error().message);
  return {};
}

}  // namespace cloister::identity
