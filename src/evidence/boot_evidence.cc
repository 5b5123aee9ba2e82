#include "evidence/boot_evidence.h"

#include <string_view>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostKeys = 32;
constexpr std::size_t kChainLength = 2;
constexpr ErrorCode kCode = ErrorCode::kBadReport;

// Reads an object, or a string that holds one; an absent member is an empty object.
Result<Json> object_or_text(const JsonReader& reader, std::string_view name) {
  if (const Json* member = reader.find(name); member != nullptr && member->is_object()) return *member;
  TRY(text, reader.optional_json_text(name, Json::value_t::object));
  if (!text) return Json::object();
  Result<Json> parsed = codec::parse_json(*text);
  if (!parsed) return reader.bad(name, parsed.error().message);
  if (!parsed->is_object()) return reader.bad(name, std::string("expected an object, found ") + parsed->type_name());
  return parsed;
}

Result<void> read_claims(const JsonReader& reader, const std::string& where, BootEvidence& out) {
  for (const char* name :
       {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "compose_hash", "app_id", "instance_id", "key_provider_info"}) {
    TRY(value, reader.optional_text(name));
    if (value) out.claims.push_back({where + name, name, *std::move(value)});
  }
  return {};
}

Result<void> read_info(const JsonReader& report, BootEvidence& out) {
  TRY(info_object, object_or_text(report, "info"));
  const JsonReader info(info_object, kCode, "info.");
  TRY_VOID(read_claims(info, "info.", out));
  TRY(tcb_info_object, object_or_text(info, "tcb_info"));
  const JsonReader tcb_info(tcb_info_object, kCode, "info.tcb_info.");
  TRY_VOID(read_claims(tcb_info, "info.tcb_info.", out));
  if (!out.app_compose) {
    TRY(app_compose, tcb_info.optional_text("app_compose"));
    out.app_compose = std::move(app_compose);
  }
  if (!out.event_log) {
    TRY(event_log, tcb_info.optional_json_text("event_log", Json::value_t::array));
    out.event_log = std::move(event_log);
  }
  if (!out.vm_config) {
    TRY(vm_config, info.optional_json_text("vm_config", Json::value_t::object));
    out.vm_config = std::move(vm_config);
  }
  return {};
}

Result<KeyCustody> read_key(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  KeyCustody key;
  const std::pair<const char*, std::string*> members[] = {{"role", &key.role},
                                                          {"path", &key.path},
                                                          {"purpose", &key.purpose},
                                                          {"algo", &key.algo},
                                                          {"public_key", &key.public_key},
                                                          {"kms_public_key", &key.kms_public_key}};
  TRY_VOID(reader.is_object());
  for (const auto& [name, value] : members) {
    TRY(text, reader.text(name));
    *value = std::move(text);
  }
  TRY(chain, reader.array("signature_chain", kChainLength));
  if (chain->size() != kChainLength) {
    return reader.bad("signature_chain", "expected 2 signatures, found " + std::to_string(chain->size()));
  }
  for (const Json& signature : *chain) {
    if (!signature.is_string()) return reader.bad("signature_chain", "expected strings");
    key.signature_chain.push_back(signature.get<std::string>());
  }
  return key;
}

Result<std::optional<std::vector<KeyCustody>>> read_custody(const JsonReader& report) {
  TRY(object, report.optional_object("key_custody"));
  if (object == nullptr) return std::optional<std::vector<KeyCustody>>();
  const JsonReader reader(*object, kCode, "key_custody.");
  TRY(provider, reader.text("provider"));
  if (provider != "dstack-kms") return reader.bad("provider", "expected dstack-kms, found " + provider);
  TRY(list, reader.array("keys", kMostKeys));
  std::vector<KeyCustody> keys;
  for (const Json& element : *list) {
    TRY(key, read_key(element, "key_custody.keys[" + std::to_string(keys.size()) + "]."));
    keys.push_back(std::move(key));
  }
  return std::optional(std::move(keys));
}

}  // namespace

Result<BootEvidence> read_boot_evidence(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.is_object());
  BootEvidence out;
  TRY(event_log, reader.optional_json_text("event_log", Json::value_t::array));
  out.event_log = std::move(event_log);
  TRY(app_compose, reader.optional_text("app_compose"));
  out.app_compose = std::move(app_compose);
  TRY(vm_config, reader.optional_json_text("vm_config", Json::value_t::object));
  out.vm_config = std::move(vm_config);
  TRY_VOID(read_info(reader, out));
  TRY(gpu_info, reader.optional_text("gpu_info"));
  out.gpu_info = std::move(gpu_info);
  TRY(ccel, reader.optional_text("ccel"));
  if (ccel) {
    Result<Bytes> bytes = from_base64(*ccel);
    if (!bytes) return reader.bad("ccel", bytes.error().message);
    out.ccel = std::move(*bytes);
  }
  TRY(custody, read_custody(reader));
  out.key_custody = std::move(custody);
  return out;
}

}  // namespace cloister::evidence
