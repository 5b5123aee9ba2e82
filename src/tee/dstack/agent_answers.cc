#include "tee/dstack/agent_answers.h"

#include <string.h>

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostQuote = 256u << 10;
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kSignatureSize = 65;
constexpr std::size_t kMostReason = 200;
constexpr std::size_t kMostVersion = 64;
// An event log of 4 MiB is the largest member, and Info holds it as a text inside a text.
constexpr codec::JsonLimits kLimits = {12u << 20, 16, 1u << 18};
constexpr codec::JsonLimits kKeyLimits = {64u << 10, 4, 64};

Error bad(std::string_view what) {
  return fail(ErrorCode::kTeeFailed, "the dstack guest agent's answer: " + std::string(what));
}

Result<Json> parse_object(std::string_view body) {
  Result<Json> object = codec::parse_json(body, kLimits);
  if (!object) return bad(object.error().message);
  if (!object->is_object()) return bad(std::string("expected an object, found ") + object->type_name());
  return object;
}

Result<std::string> text(const Json& object, std::string_view name) {
  Result<std::string> value = codec::string_member(object, name);
  if (!value) return bad(value.error().message);
  return value;
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

Result<std::vector<evidence::Event>> parse_events(std::string_view log) {
  if (log.empty()) return std::vector<evidence::Event>();
  Result<std::vector<evidence::LoggedEvent>> logged = evidence::parse_event_log(log);
  if (!logged) return bad(logged.error().message);
  std::vector<evidence::Event> out;
  for (evidence::LoggedEvent& entry : *logged) {
    Result<evidence::Event> event = evidence::to_event(std::move(entry));
    if (!event) return bad(event.error().message);
    out.push_back(*std::move(event));
  }
  return out;
}

// Members that the verifier reads must have its types; the others are passed on unchanged.
Result<void> check_info_types(const Json& info) {
  for (const char* name : {"app_id", "instance_id", "app_name", "app_cert", "device_id", "os_image_hash",
                           "compose_hash", "key_provider_info", "vm_config"}) {
    const auto member = info.find(name);
    if (member != info.end() && !member->is_string() && !member->is_null()) {
      return bad(std::string(name) + ": expected a string, found " + member->type_name());
    }
  }
  return {};
}

Result<Json> parse_tcb_info(const Json& info) {
  const auto member = info.find("tcb_info");
  if (member == info.end()) return bad("tcb_info is missing");
  if (member->is_object()) return *member;
  if (!member->is_string()) return bad(std::string("tcb_info: expected a string, found ") + member->type_name());
  // An agent that hides it answers with an empty text.
  const auto& inner = member->get_ref<const std::string&>();
  if (inner.empty()) return Json(Json::object());
  Result<Json> parsed = codec::parse_json(inner, kLimits);
  if (!parsed) return bad("tcb_info: " + parsed.error().message);
  if (!parsed->is_object()) return bad(std::string("tcb_info: expected an object, found ") + parsed->type_name());
  return parsed;
}

struct KeyNames {
  const char *key, *chain;
};

Result<std::vector<std::string>> parse_chain(const Json& object, const char* name) {
  Result<const Json*> chain = codec::array_member(object, name);
  if (!chain) return bad(chain.error().message);
  if ((*chain)->size() != 2) {
    return bad(std::string(name) + ": expected 2 signatures, found " + std::to_string((*chain)->size()));
  }
  std::vector<std::string> out;
  for (const Json& signature : **chain) {
    if (!signature.is_string()) return bad(std::string(name) + ": expected strings");
    const auto bytes = from_hex(signature.get_ref<const std::string&>());
    if (!bytes || bytes->size() != kSignatureSize) return bad(std::string(name) + ": expected hex of 65 bytes");
    out.push_back(to_hex(*bytes));
  }
  return out;
}

Result<AgentKey> read_key(const Json& object) {
  if (!object.is_object()) return bad(std::string("expected an object, found ") + object.type_name());
  const KeyNames names =
      object.contains("key") ? KeyNames{"key", "signature_chain"} : KeyNames{"k256_key", "k256_signature_chain"};
  const auto member = object.find(names.key);
  if (member == object.end() || !member->is_string()) return bad(std::string(names.key) + ": expected a string");
  Result<Bytes> key = from_hex(member->get_ref<const std::string&>());
  if (!key || key->size() != kKeySize) {
    if (key) explicit_bzero(key->data(), key->size());
    return bad(std::string(names.key) + ": expected hex of 32 bytes");
  }
  AgentKey out{SecretBytes(*key), {}};
  explicit_bzero(key->data(), key->size());
  TRY(chain, parse_chain(object, names.chain));
  out.signature_chain = std::move(chain);
  return out;
}

}  // namespace

Result<AgentQuote> parse_quote_answer(std::string_view body) {
  TRY(object, parse_object(body));
  TRY(hex, text(object, "quote"));
  if (hex.empty()) {
    return fail(ErrorCode::kUnsupported,
                "the dstack guest agent has no TDX quote to give: its platform is another one");
  }
  if (hex.size() > 2 * kMostQuote) return bad("quote: longer than 262144 bytes");
  Result<Bytes> quote = from_hex(hex);
  if (!quote) return bad("quote: " + quote.error().message);
  TRY(log, text(object, "event_log"));
  TRY(events, parse_events(log));
  return AgentQuote{*std::move(quote), std::move(events)};
}

Result<AgentKey> parse_key_answer(std::string_view body) {
  Result<Json> object = codec::parse_secret_json(body, kKeyLimits);
  if (!object) return bad(object.error().message);
  Result<AgentKey> key = read_key(*object);
  codec::wipe(*object);
  return key;
}

Result<AgentInfo> parse_info_answer(std::string_view body) {
  TRY(object, parse_object(body));
  TRY_VOID(check_info_types(object));
  TRY(tcb_info, parse_tcb_info(object));
  AgentInfo out;
  if (const auto log = tcb_info.find("event_log"); log != tcb_info.end() && !log->is_null()) {
    TRY(events, parse_events(log->is_string() ? log->get<std::string>() : codec::write_json(*log)));
    out.events = std::move(events);
  }
  object["tcb_info"] = std::move(tcb_info);
  if (const auto config = object.find("vm_config"); config != object.end() && config->is_string()) {
    out.info.vm_config = config->get<std::string>();
  }
  // Older agents have none, and an empty text is no JSON.
  if (out.info.vm_config.empty()) out.info.vm_config = "{}";
  out.info.info = std::move(object);
  return out;
}

Result<std::string> parse_version_answer(std::string_view body) {
  TRY(object, parse_object(body));
  TRY(version, text(object, "version"));
  if (version.size() > kMostVersion || !std::all_of(version.begin(), version.end(), is_printable)) {
    return bad("version: expected at most 64 printable characters");
  }
  return version;
}

std::string parse_error_answer(std::string_view body) {
  // An agent's answer may hold anything, including a key.
  Result<Json> object = codec::parse_secret_json(body, {64u << 10, 4, 64});
  if (!object) return "";
  Result<std::string> reason = codec::string_member(*object, "error");
  codec::wipe(*object);
  if (!reason) return "";
  if (reason->size() > kMostReason) reason->resize(kMostReason);
  std::replace_if(
      reason->begin(), reason->end(), [](char c) { return !is_printable(c); }, '?');
  return *reason;
}

}  // namespace cloister::tee
