#include "evidence/aci/receipt.h"

#include "codec/jcs.h"
#include "codec/json.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;
constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostEvents = 1024;

Result<ReceiptEvent> read_event(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  ReceiptEvent event;
  TRY(type, reader.text("type"));
  event.type = std::move(type);
  event.fields = object;
  if (event.type == kRequestReceived || event.type == kRequestForwarded || event.type == kResponseReturned) {
    TRY(body_hash, reader.digest("body_hash"));
    event.body_hash = body_hash;
  }
  return event;
}

Result<void> read_members(const JsonReader& reader, Receipt& receipt) {
  TRY(receipt_id, reader.text("receipt_id"));
  receipt.receipt_id = std::move(receipt_id);
  TRY(chat_id, reader.optional_text("chat_id"));
  receipt.chat_id = std::move(chat_id);
  TRY(model, reader.optional_text("model"));
  receipt.model = std::move(model);
  TRY(keyset_digest, reader.digest("workload_keyset_digest"));
  receipt.keyset_digest = keyset_digest;
  TRY(endpoint, reader.text("endpoint"));
  receipt.endpoint = std::move(endpoint);
  TRY(method, reader.text("method"));
  receipt.method = std::move(method);
  TRY(served_at, reader.whole_number("served_at"));
  receipt.served_at = served_at;
  TRY(key_id, reader.text("key_id"));
  receipt.key_id = std::move(key_id);
  TRY(signature, reader.signature("signature"));
  receipt.signature = signature;
  TRY(events, reader.array("event_log", kMostEvents));
  for (const Json& element : *events) {
    TRY(event, read_event(element, "event_log[" + std::to_string(receipt.events.size()) + "]."));
    receipt.events.push_back(std::move(event));
  }
  return {};
}

}  // namespace

Result<Receipt> parse_receipt(std::string_view json_text) {
  Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostBytes, .max_depth = 32});
  if (!json) return fail(kCode, json.error().message);
  const JsonReader reader(*json, kCode);
  TRY_VOID(reader.only({"api_version", "receipt_id", "chat_id", "model", "workload_keyset_digest", "endpoint", "method",
                        "served_at", "event_log", "key_id", "signature"}));
  TRY(version, reader.text("api_version"));
  if (version != kAciVersion) return reader.bad("api_version", "expected aci/1");
  Receipt receipt;
  TRY_VOID(read_members(reader, receipt));
  json->erase("signature");
  Result<std::string> input = codec::write_jcs(*json);
  if (!input) return fail(kCode, input.error().message);
  receipt.signing_input = *std::move(input);
  return receipt;
}

}  // namespace cloister::evidence
