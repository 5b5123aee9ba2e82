#include "evidence/boot_evidence.h"

#include <string_view>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostKeys = 32;

Error bad_member(std::string_view name, const std::string& what) {
  return fail(ErrorCode::kBadReport, std::string(name) + ": " + what, std::string(name));
}

// Absent and null mean the same.
const Json* find_member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::optional<std::string>> optional_text(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  if (member == nullptr) return std::optional<std::string>();
  if (!member->is_string()) return bad_member(name, std::string("expected a string, found ") + member->type_name());
  return std::optional(member->get<std::string>());
}

// A text that holds JSON, or the JSON itself as `wanted` says.
Result<std::optional<std::string>> optional_json_text(const Json& object, std::string_view name, Json::value_t wanted) {
  const Json* member = find_member(object, name);
  if (member == nullptr) return std::optional<std::string>();
  if (member->is_string()) return std::optional(member->get<std::string>());
  if (member->type() == wanted) return std::optional(codec::write_json(*member));
  return bad_member(name, std::string("expected a string or ") + Json(wanted).type_name() + ", found " +
                              member->type_name());
}

// An object, or a string that holds one; absent as an empty object.
Result<Json> optional_object(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  if (member == nullptr) return Json::object();
  if (member->is_object()) return *member;
  if (!member->is_string()) {
    return bad_member(name, std::string("expected an object or a string, found ") + member->type_name());
  }
  Result<Json> parsed = codec::parse_json(member->get_ref<const std::string&>());
  if (!parsed) return bad_member(name, parsed.error().message);
  if (!parsed->is_object()) return bad_member(name, std::string("expected an object, found ") + parsed->type_name());
  return parsed;
}

Result<void> read_claims(const Json& object, const std::string& where, BootEvidence& out) {
  for (const char* name : {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "compose_hash", "app_id", "instance_id",
                           "key_provider_info"}) {
    const Json* member = find_member(object, name);
    if (member == nullptr) continue;
    if (!member->is_string()) {
      return bad_member(where + name, std::string("expected a string, found ") + member->type_name());
    }
    out.claims.push_back({where + name, name, member->get<std::string>()});
  }
  return {};
}

Result<void> read_info(const Json& object, BootEvidence& out) {
  TRY(info, optional_object(object, "info"));
  TRY_VOID(read_claims(info, "info.", out));
  TRY(tcb_info, optional_object(info, "tcb_info"));
  TRY_VOID(read_claims(tcb_info, "info.tcb_info.", out));
  if (!out.app_compose) {
    TRY(app_compose, optional_text(tcb_info, "app_compose"));
    out.app_compose = std::move(app_compose);
  }
  if (!out.event_log) {
    TRY(event_log, optional_json_text(tcb_info, "event_log", Json::value_t::array));
    out.event_log = std::move(event_log);
  }
  if (!out.vm_config) {
    TRY(vm_config, optional_json_text(info, "vm_config", Json::value_t::object));
    out.vm_config = std::move(vm_config);
  }
  return {};
}

Result<KeyCustody> read_key(const Json& object) {
  constexpr std::string_view kName = "key_custody";
  if (!object.is_object()) return bad_member(kName, "expected objects in keys");
  KeyCustody key;
  const std::pair<const char*, std::string*> members[] = {
      {"role", &key.role}, {"path", &key.path},             {"purpose", &key.purpose},
      {"algo", &key.algo}, {"public_key", &key.public_key}, {"kms_public_key", &key.kms_public_key}};
  for (const auto& [name, value] : members) {
    TRY(text, codec::string_member(object, name));
    *value = std::move(text);
  }
  TRY(chain, codec::array_member(object, "signature_chain"));
  if (chain->size() != 2) {
    return bad_member(kName, "expected 2 signatures in a chain, found " + std::to_string(chain->size()));
  }
  for (const Json& signature : *chain) {
    if (!signature.is_string()) return bad_member(kName, "expected strings in signature_chain");
    key.signature_chain.push_back(signature.get<std::string>());
  }
  return key;
}

Result<std::optional<std::vector<KeyCustody>>> read_custody(const Json& object) {
  constexpr std::string_view kName = "key_custody";
  const Json* member = find_member(object, kName);
  if (member == nullptr) return std::optional<std::vector<KeyCustody>>();
  const Result<std::string> provider = codec::string_member(*member, "provider");
  if (!provider) return bad_member(kName, provider.error().message);
  if (*provider != "dstack-kms") return bad_member(kName, "expected the provider dstack-kms, found " + *provider);
  const Result<const Json*> list = codec::array_member(*member, "keys");
  if (!list) return bad_member(kName, list.error().message);
  if ((*list)->size() > kMostKeys) return bad_member(kName, "more than " + std::to_string(kMostKeys) + " keys");
  std::vector<KeyCustody> keys;
  for (const Json& element : **list) {
    Result<KeyCustody> key = read_key(element);
    if (!key) return bad_member(kName, key.error().message);
    keys.push_back(std::move(*key));
  }
  return std::optional(std::move(keys));
}

}  // namespace

Result<BootEvidence> read_boot_evidence(const Json& object) {
  if (!object.is_object()) return fail(ErrorCode::kBadReport, "expected an object with boot evidence");
  BootEvidence out;
  TRY(event_log, optional_json_text(object, "event_log", Json::value_t::array));
  out.event_log = std::move(event_log);
  TRY(app_compose, optional_text(object, "app_compose"));
  out.app_compose = std::move(app_compose);
  TRY(vm_config, optional_json_text(object, "vm_config", Json::value_t::object));
  out.vm_config = std::move(vm_config);
  TRY_VOID(read_info(object, out));
  TRY(gpu_info, optional_text(object, "gpu_info"));
  out.gpu_info = std::move(gpu_info);
  TRY(ccel, optional_text(object, "ccel"));
  if (ccel) {
    Result<Bytes> bytes = from_base64(*ccel);
    if (!bytes) return bad_member("ccel", bytes.error().message);
    out.ccel = std::move(*bytes);
  }
  TRY(custody, read_custody(object));
  out.key_custody = std::move(custody);
  return out;
}

}  // namespace cloister::evidence
