// Checks the event log against the quote: form, replay of the four registers, runtime events. What the log says may be
// used only when `authentic`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "codec/tdx_quote.h"
#include "evidence/boot_evidence.h"
#include "evidence/event_log.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct BootLog {
  bool present = false;
  bool authentic = false;  // RTMR3 replays, every digest is recomputed, names, order and uniqueness hold
  std::vector<evidence::LoggedEvent> events;

  // Returns the payload of the runtime event of this name before `system-ready`; absent unless the log is authentic.
  std::optional<ByteView> payload(std::string_view name) const;
};

// Adds boot.event_log.form, boot.rtmr0 to boot.rtmr3, boot.event.*, boot.events.*, boot.ccel.form and boot.ccel.replay.
// With `required` a missing log is a check that could not be run; else the checks do not apply.
BootLog check_boot_log(const evidence::BootEvidence& evidence, const codec::TdReport& report, bool required,
                       Verdict& verdict);

}  // namespace cloister::verify
