// Which runtime events a dstack guest measures, in which order and how often.
#pragma once

#include <string_view>
#include <vector>

#include "evidence/event_log.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Events that the application adds come after this event.
inline constexpr std::string_view kSystemReady = "system-ready";

// boot.events.order: `system-preparing` first, the known events in the order of the boot, none of them after
// `system-ready`, which must occur. Does not apply to the log of a guest without dstack, which holds none of them. Every
// entry of register 3 counts, whatever its type.
Check check_event_order(const std::vector<evidence::LoggedEvent>& events);
// boot.events.unique: each known event occurs at most once in the whole log, except init scripts.
Check check_event_uniqueness(const std::vector<evidence::LoggedEvent>& events);

}  // namespace cloister::verify
