#include "evidence/event_log.h"

#include "base/encoding.h"
#include "crypto/hash.h"

namespace cloister::evidence {

ByteArray<48> runtime_event_digest(std::string_view name, ByteView payload) {
  Bytes text;
  for (int shift = 0; shift < 32; shift += 8) text.push_back(static_cast<std::uint8_t>(kRuntimeEventType >> shift));
  text.push_back(':');
  append(text, as_bytes(name));
  text.push_back(':');
  append(text, payload);
  return crypto::sha384(text);
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
    out.push_back(Json{{"imr", event.imr},
                       {"event_type", event.event_type},
                       {"digest", to_hex(event.digest)},
                       {"event", event.name},
                       {"event_payload", to_hex(event.payload)}});
  }
  return out;
}

}  // namespace cloister::evidence
