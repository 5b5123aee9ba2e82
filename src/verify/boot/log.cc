#include "verify/boot/log.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.h"
#include "codec/ccel.h"
#include "crypto/hash.h"
#include "verify/boot/events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::LoggedEvent;
using Registers = std::array<ByteArray<48>, 4>;

constexpr const char* kRegisterIds[] = {"boot.rtmr0", "boot.rtmr1", "boot.rtmr2", "boot.rtmr3"};
constexpr std::string_view kEventIds[] = {"boot.event.digests", "boot.event.names", "boot.events.order",
                                          "boot.events.unique"};

std::string event_label(const LoggedEvent& event, std::size_t number) {
  return "entry " + std::to_string(number) + " (" + event.name.substr(0, 64) + ")";
}

// The digest that extends the register: for a runtime event always the recomputed one, whatever was logged.
std::optional<ByteArray<48>> extending_digest(const LoggedEvent& event) {
  if (!event.is_runtime()) return event.digest;
  const Result<Bytes> preimage = evidence::runtime_event_preimage(event);
  if (!preimage) return std::nullopt;
  return crypto::sha384(*preimage);
}

// The logged digest and pre-image must equal the recomputed ones and never replace them.
Check check_digests(const std::vector<LoggedEvent>& events) {
  const std::string id = "boot.event.digests";
  std::size_t count = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const LoggedEvent& event = events[i];
    if (!event.is_runtime()) continue;
    ++count;
    const Result<Bytes> preimage = evidence::runtime_event_preimage(event);
    if (!preimage) return failed(id, event_label(event, i) + ": " + preimage.error().message);
    const std::string expected = to_hex(crypto::sha384(*preimage));
    if (event.digest && to_hex(*event.digest) != expected) {
      return failed(id, event_label(event, i) + ": the logged digest is not that of its name and payload", expected,
                    to_hex(*event.digest));
    }
    if (event.preimage && *event.preimage != *preimage) {
      return failed(id, event_label(event, i) + ": the logged pre-image is not that of its name and payload");
    }
  }
  if (count == 0) return not_applicable(id, "the log holds no runtime event");
  return passed(id, std::to_string(count) + " recomputed");
}

Check check_names(const std::vector<LoggedEvent>& events) {
  const std::string id = "boot.event.names";
  bool any = false;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!events[i].is_runtime()) continue;
    any = true;
    if (!evidence::is_plain_event_name(events[i].name)) {
      return failed(id, event_label(events[i], i) + ": name and payload of such an event can be traded",
                    "characters of [A-Za-z0-9_.-]");
    }
  }
  return any ? passed(id) : not_applicable(id, "the log holds no runtime event");
}

Check check_register(int index, const ByteArray<48>& replayed, const codec::TdReport& report) {
  return compared(kRegisterIds[index], to_hex(report.rtmr[index]), to_hex(replayed),
                  "the log does not replay to the quote's RTMR" + std::to_string(index));
}

void judge_events(BootLog& log, const codec::TdReport& report, Verdict& verdict) {
  std::vector<evidence::Extension> extensions;
  for (const LoggedEvent& event : log.events) {
    // Without a digest nothing is extended, and the register does not replay.
    if (const auto digest = extending_digest(event)) extensions.push_back({event.imr, *digest});
  }
  const Registers replayed = evidence::replay(extensions);
  for (int i = 0; i < 4; ++i) verdict.add(check_register(i, replayed[i], report));
  verdict.add(check_digests(log.events));
  verdict.add(check_names(log.events));
  verdict.add(check_event_order(log.events));
  verdict.add(check_event_uniqueness(log.events));
  log.authentic = verdict.find("boot.rtmr3")->state == State::kPass;
  for (const std::string_view id : kEventIds) log.authentic &= verdict.find(id)->state != State::kFail;
}

// Registers 0 to 2 in any case; register 3 only where no event log says what came after the boot.
Check check_ccel_replay(const Registers& replayed, const codec::TdReport& report, bool with_register_3) {
  const std::string id = "boot.ccel.replay";
  for (int i = 0; i < (with_register_3 ? 4 : 3); ++i) {
    if (replayed[i] == report.rtmr[i]) continue;
    return failed(id, "the CCEL log does not replay to the quote's RTMR" + std::to_string(i), to_hex(report.rtmr[i]),
                  to_hex(replayed[i]));
  }
  return passed(id);
}

// The registers of the CCEL log, if there is a readable one.
std::optional<Registers> judge_ccel(const evidence::BootEvidence& evidence, const codec::TdReport& report,
                                    Verdict& verdict) {
  if (!evidence.ccel) {
    verdict.add(not_applicable("boot.ccel.form", "there is no CCEL log"));
    verdict.add(not_applicable("boot.ccel.replay", "there is no CCEL log"));
    return std::nullopt;
  }
  const auto events = codec::parse_ccel(*evidence.ccel);
  if (!events) {
    verdict.add(failed("boot.ccel.form", events.error().message));
    verdict.add(skipped("boot.ccel.replay", "the CCEL log could not be read"));
    return std::nullopt;
  }
  // Firmware extends RTMR0 and RTMR1, the boot loader RTMR2. An entry for RTMR3 would count for the register of the
  // running system, and nothing here could say what the entry means.
  const auto foreign = std::find_if(events->begin(), events->end(), [](const auto& event) { return event.rtmr == 3; });
  if (foreign != events->end()) {
    verdict.add(failed("boot.ccel.form", "an entry extends RTMR3, which belongs to the running system",
                       "RTMR0 to RTMR2", "RTMR3, event type " + std::to_string(foreign->event_type)));
    verdict.add(skipped("boot.ccel.replay", "the CCEL log holds an entry that does not belong to a boot"));
    return std::nullopt;
  }
  verdict.add(passed("boot.ccel.form", std::to_string(events->size()) + " events"));
  std::vector<evidence::Extension> extensions;
  for (const codec::CcelEvent& event : *events) extensions.push_back({event.rtmr, event.sha384});
  const Registers replayed = evidence::replay(extensions);
  verdict.add(check_ccel_replay(replayed, report, !evidence.event_log));
  return replayed;
}

void add_all(Verdict& verdict, const std::string& reason, bool required) {
  const auto add = [&](std::string_view id) {
    verdict.add(required ? skipped(std::string(id), reason) : not_applicable(std::string(id), reason));
  };
  for (const char* id : kRegisterIds) {
    if (verdict.find(id) == nullptr) add(id);
  }
  for (const std::string_view id : kEventIds) add(id);
}

}  // namespace

std::optional<ByteView> BootLog::payload(std::string_view name) const {
  if (!authentic) return std::nullopt;
  for (const LoggedEvent& event : events) {
    if (!event.is_runtime()) continue;
    if (event.name == name) return event.payload;
    if (event.name == kSystemReady) break;
  }
  return std::nullopt;
}

BootLog check_boot_log(const evidence::BootEvidence& evidence, const codec::TdReport& report, bool required,
                       Verdict& verdict) {
  BootLog log;
  log.present = evidence.event_log.has_value();
  const std::string id = "boot.event_log.form";
  if (!log.present) {
    const std::string reason =
        required ? "there is no event log, and the policy asks for what only a log shows" : "there is no event log";
    verdict.add(required ? skipped(id, reason) : not_applicable(id, reason));
    if (const auto replayed = judge_ccel(evidence, report, verdict)) {
      for (int i = 0; i < 4; ++i) verdict.add(check_register(i, (*replayed)[i], report));
    }
    add_all(verdict, reason, required);
    return log;
  }
  auto events = evidence::parse_event_log(*evidence.event_log);
  if (!events) {
    verdict.add(failed(id, events.error().message));
    add_all(verdict, "the event log could not be read", true);
  } else {
    verdict.add(passed(id, std::to_string(events->size()) + " entries"));
    log.events = std::move(*events);
    judge_events(log, report, verdict);
  }
  judge_ccel(evidence, report, verdict);
  return log;
}

}  // namespace cloister::verify
