#include "verify/report/measured_event.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "verify/boot/events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostShown = 16;

// A document whose digest a node measures under a name of its own.
struct Document {
  const char* id;  // id of the check
  const char* event;
  const char* what;  // for people
  const char* fact;
};
constexpr Document kModel = {"model.event", "cloister-model", "model", "model_events"};
constexpr Document kPolicy = {"policy.event", "cloister-policy", "configuration", "policy_events"};

// Only then are the entries of register 3 what the TEE measured.
bool is_authentic(const Verdict& verdict) {
  const Check* rtmr3 = verdict.find("boot.rtmr3");
  if (rtmr3 == nullptr || rtmr3->state != State::kPass) return false;
  for (const char* id : {"boot.event.digests", "boot.event.names", "boot.events.order", "boot.events.unique"}) {
    const Check* check = verdict.find(id);
    if (check == nullptr || check->state == State::kFail || check->state == State::kSkipped) return false;
  }
  return true;
}

// The digests measured under this name. After a dstack boot has ended, the machine lets applications measure.
std::vector<std::string> measured(const std::vector<evidence::LoggedEvent>& events, std::string_view name) {
  const auto is_ready = [](const evidence::LoggedEvent& event) {
    return event.is_runtime() && event.name == kSystemReady;
  };
  const auto ready = std::find_if(events.begin(), events.end(), is_ready);
  std::vector<std::string> out;
  for (auto event = ready == events.end() ? events.begin() : ready; event != events.end(); ++event) {
    if (event->is_runtime() && event->name == name) out.push_back("sha256:" + to_hex(event->payload));
  }
  return out;
}

Check check(const Document& document, const std::vector<std::string>& measured,
            const std::optional<ByteArray<32>>& digest) {
  const std::string what = document.what;
  if (measured.empty()) return not_applicable(document.id, "the log names no " + what);
  if (!digest) return not_applicable(document.id, "the report names no " + what);
  const std::string named = evidence::digest_text(*digest);
  if (std::find(measured.begin(), measured.end(), named) == measured.end()) {
    return failed(document.id, "the register was extended with another " + what + ", and not with this one", named,
                  measured.back());
  }
  return passed(
      document.id, named,
      measured.size() == 1 ? "" : std::to_string(measured.size()) + " were measured since the machine started");
}

}  // namespace

void check_measured_events(const evidence::BootEvidence& boot, const std::optional<ByteArray<32>>& model_digest,
                           const std::optional<ByteArray<32>>& policy_digest, Verdict& verdict) {
  std::vector<evidence::LoggedEvent> events;
  if (boot.event_log) {
    auto read = evidence::parse_event_log(*boot.event_log);
    if (!read || !is_authentic(verdict)) {
      return skip_all(verdict, {kModel.id, kPolicy.id}, "the event log is not authentic");
    }
    events = *std::move(read);
  }
  for (const auto& [document, digest] : {std::pair(kModel, model_digest), std::pair(kPolicy, policy_digest)}) {
    if (!boot.event_log) {
      verdict.add(not_applicable(document.id, "there is no event log"));
      continue;
    }
    const std::vector<std::string> all = measured(events, document.event);
    if (!all.empty()) {
      const auto shown = static_cast<std::ptrdiff_t>(std::min(all.size(), kMostShown));
      verdict.facts[document.fact] = std::vector<std::string>(all.end() - shown, all.end());
    }
    verdict.add(check(document, all, digest));
  }
}

}  // namespace cloister::verify
