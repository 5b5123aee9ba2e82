#include "verify/boot/events.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::LoggedEvent;

constexpr std::string_view kSystemPreparing = "system-preparing";
constexpr std::string_view kInitScriptHash = "init-script-hash";

// The order of the boot. Only system-preparing and system-ready are in every log.
constexpr std::array<std::string_view, 14> kBootOrder = {
    kSystemPreparing, "rootfs-hash",  "app-id", "compose-hash",  kInitScriptHash, "gpu-policy-hash", "gpu-attestation",
    "instance-id",    "boot-mr-done", "mr-kms", "os-image-hash", "key-provider",  "storage-fs",      kSystemReady};

// The event's place in the boot, or the number of places for an unknown event.
std::size_t place_of(std::string_view name) {
  return static_cast<std::size_t>(std::find(kBootOrder.begin(), kBootOrder.end(), name) - kBootOrder.begin());
}

// The names of all entries that extend RTMR3. parse_event_log() refuses those of another type. Here each entry counts,
// whatever its type, so that none can extend the register and be left out of the order and of the count.
std::vector<std::string_view> runtime_names(const std::vector<LoggedEvent>& events) {
  std::vector<std::string_view> names;
  for (const LoggedEvent& event : events) {
    if (event.imr == evidence::kRuntimeRegister) names.push_back(event.name);
  }
  return names;
}

}  // namespace

Check check_event_order(const std::vector<LoggedEvent>& events) {
  const std::string id = "boot.events.order";
  const std::vector<std::string_view> names = runtime_names(events);
  if (names.empty()) return not_applicable(id, "the log holds no runtime event");
  if (std::all_of(names.begin(), names.end(), [](auto name) { return place_of(name) == kBootOrder.size(); })) {
    return not_applicable(id, "no event of the log belongs to a boot: the guest measures none");
  }
  if (names.front() != kSystemPreparing) {
    return failed(id, "the first runtime event is another", std::string(kSystemPreparing),
                  std::string(names.front().substr(0, 64)));
  }
  std::size_t reached = 0;
  for (const std::string_view name : names) {
    const std::size_t place = place_of(name);
    if (place == kBootOrder.size()) continue;  // an application's own
    if (place < reached) {
      return failed(id, std::string(name) + " comes after " + std::string(kBootOrder[reached]),
                    std::string(name) + " before " + std::string(kBootOrder[reached]));
    }
    reached = place;
  }
  if (kBootOrder[reached] != kSystemReady) {
    return failed(id, "the log ends before the boot does", std::string(kSystemReady), std::string(kBootOrder[reached]));
  }
  return passed(id, std::to_string(names.size()) + " runtime events");
}

Check check_event_uniqueness(const std::vector<LoggedEvent>& events) {
  const std::string id = "boot.events.unique";
  const std::vector<std::string_view> names = runtime_names(events);
  if (names.empty()) return not_applicable(id, "the log holds no runtime event");
  std::set<std::string_view> seen;
  for (const std::string_view name : names) {
    if (place_of(name) == kBootOrder.size() || name == kInitScriptHash) continue;
    if (!seen.insert(name).second) {
      return failed(id, "a second " + std::string(name) + " event: it may have been added to be taken for the first",
                    "one " + std::string(name), "more than one");
    }
  }
  return passed(id);
}

}  // namespace cloister::verify
