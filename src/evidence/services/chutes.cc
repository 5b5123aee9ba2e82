#include "evidence/services/chutes.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;
constexpr std::size_t kMostInstances = 64;
constexpr std::size_t kMostDevices = 64;
constexpr std::size_t kMostIdText = 128;

bool has_type(const Json& object) {
  const auto type = object.find("attestation_type");
  return type != object.end() && *type == "chutes";
}

Result<std::string> read_id(const JsonReader& reader) {
  TRY(id, reader.text("instance_id"));
  const bool plain = std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
  if (id.empty() || id.size() > kMostIdText || !plain)
    return reader.bad("instance_id", "expected 1 to 128 printable characters");
  return id;
}

Result<ChutesInstance> read_instance(const Json& object, const std::string& where, bool passed_on,
                                     const std::optional<Nonce>& nonce) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  ChutesInstance out;
  TRY(id, read_id(reader));
  out.id = std::move(id);
  const char* name = passed_on ? "intel_quote" : "quote";
  TRY(quote_text, reader.text(name));
  Result<Bytes> quote = from_base64(quote_text);
  if (!quote) return reader.bad(name, quote.error().message);
  out.quote = *std::move(quote);
  if (passed_on) {
    TRY(key, reader.text("e2e_pubkey"));
    out.e2e_key = std::move(key);
    TRY(own, reader.hex32("nonce"));
    if (nonce != own) return reader.bad("nonce", "is not the one of the answer");
  }
  TRY(devices, reader.array("gpu_evidence", kMostDevices));
  out.devices = *devices;
  return out;
}

}  // namespace

bool is_chutes_report(const Json& object) {
  if (!object.is_object()) return false;
  if (has_type(object)) return true;
  const auto list = object.find("evidence");
  return list != object.end() && list->is_array() && !list->empty() && list->front().is_object() &&
         list->front().contains("instance_id") && list->front().contains("quote");
}

Result<ChutesReport> parse_chutes_report(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.is_object());
  const bool passed_on = has_type(object);
  ChutesReport out;
  if (passed_on) {
    TRY(nonce, reader.hex32("nonce"));
    out.nonce = nonce;
  }
  const std::string name = passed_on ? "all_attestations" : "evidence";
  TRY(list, reader.array(name, kMostInstances));
  if (list->empty()) return reader.bad(name, "expected 1 to 64 instances, found none");
  for (const Json& element : *list) {
    TRY(instance,
        read_instance(element, name + "[" + std::to_string(out.instances.size()) + "].", passed_on, out.nonce));
    const bool twice =
        std::ranges::any_of(out.instances, [&](const ChutesInstance& other) { return other.id == instance.id; });
    if (twice) return reader.bad(name, "one instance is listed twice");
    out.instances.push_back(std::move(instance));
  }
  if (reader.find("failed_instance_ids") != nullptr) {
    TRY(missing, reader.array("failed_instance_ids", 4096));
    out.failed = missing->size();
  }
  return out;
}

Result<InstanceKeys> parse_chutes_instances(std::string_view text) {
  TRY(object, codec::parse_json(text));
  const JsonReader reader(object, kCode);
  TRY(list, reader.array("instances", 4096));
  InstanceKeys out;
  for (const Json& element : *list) {
    const JsonReader instance(element, kCode, "instances[" + std::to_string(out.size()) + "].");
    TRY_VOID(instance.is_object());
    TRY(id, read_id(instance));
    TRY(key, instance.text("e2e_pubkey"));
    if (!out.emplace(std::move(id), std::move(key)).second)
      return reader.bad("instances", "one instance is listed twice");
  }
  return out;
}

ByteArray<32> chutes_binding(const Nonce& nonce, std::string_view e2e_key) {
  return crypto::sha256(as_bytes(to_hex(nonce) + std::string(e2e_key)));
}

}  // namespace cloister::evidence
