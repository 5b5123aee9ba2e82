#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/event_log.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostBytes = 4u << 20;
constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostPayload = 64 * 1024;
constexpr std::size_t kMostNameText = 1024;  // what may be logged; names of runtime events are checked more strictly
// Room for the entries and their members, and little more.
constexpr codec::JsonLimits kLimits = {kMostBytes, 8, kMostEntries * 16};

class EntryReader {
 public:
  EntryReader(const Json& object, std::size_t number) : object_(object), number_(number) {}

  Error error(std::string_view name, const std::string& what) const {
    return fail(ErrorCode::kBadEventLog,
                "event log entry " + std::to_string(number_) + ": " + std::string(name) + ": " + what);
  }

  // Absent and null mean the same.
  const Json* find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  Result<std::uint64_t> number(const char* name, std::uint64_t most) const {
    const Json* member = find(name);
    if (member == nullptr) return error(name, "missing");
    if (!member->is_number_unsigned()) {
      return error(name, std::string("expected a whole number that is not negative, found ") + member->type_name());
    }
    const auto value = member->get<std::uint64_t>();
    if (value > most) {
      return error(name, "expected at most " + std::to_string(most) + ", found " + std::to_string(value));
    }
    return value;
  }

  Result<std::string> text(const char* name, std::size_t most) const {
    const Json* member = find(name);
    if (member == nullptr) return std::string();
    if (!member->is_string()) return error(name, std::string("expected a string, found ") + member->type_name());
    auto value = member->get<std::string>();
    if (value.size() > most) return error(name, "longer than " + std::to_string(most) + " characters");
    return value;
  }

  Result<Bytes> hex(const char* name) const {
    TRY(digits, text(name, 2 * kMostPayload));
    Result<Bytes> bytes = from_hex(digits);
    if (!bytes) return error(name, bytes.error().message);
    return bytes;
  }

 private:
  const Json& object_;
  std::size_t number_;
};

Result<std::optional<ByteArray<48>>> read_digest(const EntryReader& in, bool may_be_empty) {
  TRY(digits, in.text("digest", 256));
  if (digits.empty()) {
    if (may_be_empty) return std::optional<ByteArray<48>>();
    return in.error("digest", "missing");
  }
  const auto digest = from_hex_exactly<48>(digits);
  if (!digest) return in.error("digest", digest.error().message);
  return std::optional(*digest);
}

Result<LoggedEvent> read_entry(const Json& object, std::size_t number) {
  const EntryReader in(object, number);
  if (!object.is_object()) return in.error("entry", std::string("expected an object, found ") + object.type_name());
  LoggedEvent event;
  TRY(imr, in.number("imr", 3));
  event.imr = static_cast<int>(imr);
  TRY(type, in.number("event_type", 0xffffffff));
  event.event_type = static_cast<std::uint32_t>(type);
  if (event.is_runtime() && event.imr != kRuntimeRegister) {
    return in.error("imr", "a runtime event belongs in register 3, found " + std::to_string(event.imr));
  }
  // Such an entry would extend the register by a digest whose meaning nobody can recompute: a host could hide the
  // events of the boot behind it and let the application's own second set of them count.
  if (!event.is_runtime() && event.imr == kRuntimeRegister) {
    return in.error("event_type", "register 3 holds runtime events (" + std::to_string(kRuntimeEventType) +
                                      ") alone, found " + std::to_string(event.event_type));
  }
  TRY(digest, read_digest(in, event.is_runtime()));
  event.digest = digest;
  TRY(name, in.text("event", kMostNameText));
  event.name = std::move(name);
  TRY(payload, in.hex("event_payload"));
  event.payload = std::move(payload);
  if (in.find("version") != nullptr) {
    TRY(version, in.number("version", 2));
    if (version == 0) return in.error("version", "expected 1 or 2, found 0");
    event.version = static_cast<int>(version);
  }
  if (in.find("preimage") != nullptr) {
    TRY(preimage, in.hex("preimage"));
    event.preimage = std::move(preimage);
  }
  return event;
}

// Takes the array out of the string around it, where there is one.
Result<Json> read_array(std::string_view text) {
  Result<Json> value = codec::parse_json(text, kLimits);
  if (value && value->is_string()) {
    const std::string inner = value->get<std::string>();
    value = codec::parse_json(inner, kLimits);
  }
  if (!value) return fail(ErrorCode::kBadEventLog, "event log: " + value.error().message);
  if (!value->is_array()) {
    return fail(ErrorCode::kBadEventLog, std::string("event log: expected an array, found ") + value->type_name());
  }
  return value;
}

}  // namespace

Result<std::vector<LoggedEvent>> parse_event_log(std::string_view text) {
  TRY(array, read_array(text));
  if (array.size() > kMostEntries) {
    return fail(ErrorCode::kBadEventLog, "event log: more than " + std::to_string(kMostEntries) + " entries");
  }
  std::vector<LoggedEvent> events;
  for (const Json& object : array) {
    TRY(event, read_entry(object, events.size()));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace cloister::evidence
