// The dstack event log: what the guest measured into RTMR3, one entry an extension (attestation.md section 6).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"

namespace cloister::evidence {

constexpr std::uint32_t kRuntimeEventType = 0x08000001;

struct Event {
  int imr = 3;                        // RTMR index, zero-based
  std::uint32_t event_type = kRuntimeEventType;
  ByteArray<48> digest{};
  std::string name;
  Bytes payload;
};

// SHA-384(le32(0x08000001) || ":" || name || ":" || payload), version 1.
ByteArray<48> runtime_event_digest(std::string_view name, ByteView payload);
Event runtime_event(std::string_view name, ByteView payload);
// SHA-384(register || digest).
ByteArray<48> extend(const ByteArray<48>& rtmr, const ByteArray<48>& digest);
// Array of {imr, event_type, digest, event, event_payload}.
Json event_log_json(const std::vector<Event>& events);

}  // namespace cloister::evidence
