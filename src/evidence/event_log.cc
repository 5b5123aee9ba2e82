#include "evidence/event_log.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostNameSize = 128;

// Version 1: le32(type) || ":" || name || ":" || payload.
Bytes preimage_v1(std::string_view name, ByteView payload) {
  Bytes text;
  for (int shift = 0; shift < 32; shift += 8) text.push_back(static_cast<std::uint8_t>(kRuntimeEventType >> shift));
  text.push_back(':');
  append(text, as_bytes(name));
  text.push_back(':');
  append(text, payload);
  return text;
}

}  // namespace

ByteArray<48> runtime_event_digest(std::string_view name, ByteView payload) {
  return crypto::sha384(preimage_v1(name, payload));
}

std::string runtime_event_text_v2(std::string_view name, ByteView payload) {
  return R"({"name":")" + std::string(name) + R"(","payload":")" + to_hex(payload) + R"(","type":)" +
         std::to_string(kRuntimeEventType) + "}";
}

bool is_plain_event_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameSize && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

Event runtime_event(std::string_view name, ByteView payload) {
  Event event;
  event.digest = runtime_event_digest(name, payload);
  event.name = name;
  event.payload = to_bytes(payload);
  return event;
}

ByteArray<48> extend(const ByteArray<48>& rtmr, const ByteArray<48>& digest) {
  Bytes both = to_bytes(rtmr);
  append(both, digest);
  return crypto::sha384(both);
}

Json event_log_json(const std::vector<Event>& events) {
  Json out = Json::array();
  for (const Event& event : events) {
    Json entry = {{"imr", event.imr},
                  {"event_type", event.event_type},
                  {"digest", to_hex(event.digest)},
                  {"event", event.name},
                  {"event_payload", to_hex(event.payload)}};
    if (event.version != 1) entry["version"] = event.version;
    if (event.preimage) entry["preimage"] = to_hex(*event.preimage);
    out.push_back(std::move(entry));
  }
  return out;
}

Result<Event> to_event(LoggedEvent logged) {
  if (!logged.digest) {
    TRY(preimage, runtime_event_preimage(logged));
    logged.digest = crypto::sha384(preimage);
  }
  Event event;
  event.imr = logged.imr;
  event.event_type = logged.event_type;
  event.digest = *logged.digest;
  event.name = std::move(logged.name);
  event.payload = std::move(logged.payload);
  event.version = logged.version;
  event.preimage = std::move(logged.preimage);
  return event;
}

Result<Bytes> runtime_event_preimage(const LoggedEvent& event) {
  if (event.version == 1) return preimage_v1(event.name, event.payload);
  if (!is_plain_event_name(event.name)) {
    return fail(ErrorCode::kBadEventLog, "the name of a version 2 event is not plain: its text is not reproduced here");
  }
  return to_bytes(as_bytes(runtime_event_text_v2(event.name, event.payload)));
}

std::array<ByteArray<48>, 4> replay(const std::vector<Extension>& extensions) {
  std::array<ByteArray<48>, 4> registers{};
  for (const Extension& extension : extensions) {
    ByteArray<48>& rtmr = registers.at(static_cast<std::size_t>(extension.imr));
    rtmr = extend(rtmr, extension.digest);
  }
  return registers;
}

}  // namespace cloister::evidence
