// The dstack event log: what was measured into RTMR0 to RTMR3. Each entry is one extension of a register.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

constexpr std::uint32_t kRuntimeEventType = 0x08000001;
constexpr int kRuntimeRegister = 3;

struct Event {
  int imr = kRuntimeRegister;  // RTMR index, zero-based
  std::uint32_t event_type = kRuntimeEventType;
  ByteArray<48> digest{};
  std::string name;
  Bytes payload;
  // For runtime events: how the digest is made (version 1 or 2), and the bytes that it is made of, where the log holds them.
  int version = 1;
  std::optional<Bytes> preimage = std::nullopt;
};

// SHA-384(le32(0x08000001) || ":" || name || ":" || payload), version 1.
ByteArray<48> runtime_event_digest(std::string_view name, ByteView payload);
// The RFC 8785 text {"name":...,"payload":"<lower hex>","type":134217729} whose SHA-384 is the digest of version 2.
// Only for names that is_plain_event_name() accepts: others would need escapes.
std::string runtime_event_text_v2(std::string_view name, ByteView payload);
// True for 1 to 128 characters of [A-Za-z0-9_.-]. In version 1 a name with a colon could trade bytes with its payload.
bool is_plain_event_name(std::string_view name);
Event runtime_event(std::string_view name, ByteView payload);
// SHA-384(register || digest).
ByteArray<48> extend(const ByteArray<48>& rtmr, const ByteArray<48>& digest);
// An array of {imr, event_type, digest, event, event_payload}, for version 2 also `version` and `preimage`.
Json event_log_json(const std::vector<Event>& events);

// An entry as it was logged. Name and payload are unverified until the digest has been recomputed.
struct LoggedEvent {
  int imr = 0;  // 0 to 3
  std::uint32_t event_type = 0;
  std::optional<ByteArray<48>> digest;  // absent only for runtime events of stripped logs
  std::string name;
  Bytes payload;
  int version = 1;  // 1 or 2
  std::optional<Bytes> preimage;

  bool is_runtime() const { return event_type == kRuntimeEventType; }
};

// Accepts a JSON array of entries, or a JSON string that holds one. At most 4 MiB, 4,096 entries, payloads of 64 KiB.
// Strict about the members of an Event, and ignores others. Refused: a register other than 0 to 3, a digest of another
// size than 48 bytes, a missing digest except for runtime events, a runtime event outside register 3, any other event
// inside it, a version other than 1 and 2. Errors are kBadEventLog.
Result<std::vector<LoggedEvent>> parse_event_log(std::string_view text);

// Returns the entry as evidence to pass on. A digest that a stripped log leaves out is made from name and payload; an
// existing one is kept, right or wrong, since verify checks it.
Result<Event> to_event(LoggedEvent logged);

// What the digest of a runtime event must be the hash of; an error for version 2 with a name that is not plain.
Result<Bytes> runtime_event_preimage(const LoggedEvent& event);

// The four registers after these extensions, from 48 zero bytes each. Each `imr` is 0 to 3.
struct Extension {
  int imr = 0;
  ByteArray<48> digest{};
};
std::array<ByteArray<48>, 4> replay(const std::vector<Extension>& extensions);

}  // namespace cloister::evidence
