#include "tee/runtime_event.h"

#include <algorithm>
#include <array>
#include <string>

#include "evidence/event_log.h"

namespace cloister::tee {
namespace {

constexpr std::array<std::string_view, 14> kBootNames = {
    "system-preparing", "rootfs-hash",     "app-id",      "compose-hash", "init-script-hash",
    "gpu-policy-hash",  "gpu-attestation", "instance-id", "boot-mr-done", "mr-kms",
    "os-image-hash",    "key-provider",    "storage-fs",  "system-ready"};

}  // namespace

Result<void> check_event(std::string_view name, ByteView payload) {
  if (!evidence::is_plain_event_name(name)) {
    return fail(ErrorCode::kUsage, "the name of an event has 1 to 128 characters of A-Z, a-z, 0-9, _ . and -", "event");
  }
  if (std::find(kBootNames.begin(), kBootNames.end(), name) != kBootNames.end()) {
    return fail(ErrorCode::kUsage, "an event named " + std::string(name) + " belongs to the boot alone", "event");
  }
  if (payload.size() > kMostEventPayload) {
    return fail(ErrorCode::kTooLarge,
                "the payload of an event has at most 65536 bytes, got " + std::to_string(payload.size()), "payload");
  }
  return {};
}

}  // namespace cloister::tee
