#include "store/exchange/export_line.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"
#include "store/record.h"

namespace cloister::store {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;
constexpr std::string_view kReceiptForm = "cloister.receipt.v2";
constexpr std::string_view kReceiptForm1 = "cloister.receipt.v1";
constexpr std::string_view kDocumentForm = "cloister.document.v1";

using evidence::JsonReader;

// Each value has one text, so that two exports of one store can be compared.
template <std::size_t N>
Result<ByteArray<N>> lower_hex(const JsonReader& reader, std::string_view name) {
  TRY(text, reader.text(name));
  Result<ByteArray<N>> bytes = from_hex_exactly<N>(text);
  const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };
  if (!bytes || std::any_of(text.begin(), text.end(), upper)) {
    return reader.bad(name, "expected " + std::to_string(2 * N) + " hex characters in lower case");
  }
  return bytes;
}

Result<std::vector<std::string>> read_ids(const JsonReader& reader) {
  TRY(list, reader.array("reply_ids", kMostReplyIds));
  std::vector<std::string> ids;
  for (const Json& each : *list) {
    if (!each.is_string()) return reader.bad("reply_ids", "expected strings");
    ids.push_back(each.get<std::string>());
  }
  return ids;
}

Result<std::optional<LegacySignature>> read_legacy(const JsonReader& reader) {
  TRY(object, reader.optional_object("legacy"));
  if (object == nullptr) return std::optional<LegacySignature>();
  const JsonReader members(*object, kCode, "legacy.");
  TRY_VOID(members.only({"request_sha256", "response_sha256", "ecdsa"}));
  TRY(request, lower_hex<32>(members, "request_sha256"));
  TRY(response, lower_hex<32>(members, "response_sha256"));
  TRY(ecdsa, lower_hex<65>(members, "ecdsa"));
  return std::optional(LegacySignature{request, response, ecdsa});
}

Result<ReceiptRecord> read_receipt(const JsonReader& reader) {
  TRY_VOID(reader.only({"form", "receipt_id", "reply_ids", "owner", "served_at", "receipt", "legacy", "event_hashes"}));
  ReceiptRecord record;
  TRY(receipt_id, reader.text("receipt_id"));
  record.receipt_id = std::move(receipt_id);
  TRY(reply_ids, read_ids(reader));
  record.reply_ids = std::move(reply_ids);
  TRY(owner, lower_hex<16>(reader, "owner"));
  record.owner = owner;
  TRY(served_at, reader.whole_number("served_at"));
  record.served_at = served_at;
  TRY(receipt, reader.text("receipt"));
  record.receipt = std::move(receipt);
  TRY(legacy, read_legacy(reader));
  record.legacy = legacy;
  TRY(hashes, reader.optional_text("event_hashes"));
  if (hashes) {
    Result<Bytes> bytes = from_base64(*hashes);
    if (!bytes) return reader.bad("event_hashes", bytes.error().message);
    record.event_hashes = as_text(*bytes);
  }
  if (Result<void> checked = check_record(record); !checked)
    return fail(kCode, checked.error().message, checked.error().param);
  Result<evidence::Receipt> parsed = evidence::parse_receipt(record.receipt);
  if (!parsed) return fail(kCode, "receipt: " + parsed.error().message, "receipt");
  if (parsed->receipt_id != record.receipt_id) return reader.bad("receipt_id", "is not that of the receipt");
  if (parsed->served_at != record.served_at) return reader.bad("served_at", "is not that of the receipt");
  return record;
}

Result<Document> read_document(const JsonReader& reader) {
  TRY_VOID(reader.only({"form", "kind", "key", "made", "text"}));
  Document document;
  TRY(kind, reader.text("kind"));
  document.kind = std::move(kind);
  TRY(key, reader.text("key"));
  if (!evidence::parse_digest(key)) return reader.bad("key", "expected sha256: and 64 hex characters in lower case");
  document.key = std::move(key);
  TRY(made, reader.whole_number("made"));
  document.made = made;
  TRY(text, reader.text("text"));
  document.text = std::move(text);
  if (Result<void> checked = check_document(document); !checked)
    return fail(kCode, checked.error().message, checked.error().param);
  return document;
}

Json json_of(const ReceiptRecord& record) {
  Json out = {{"form", kReceiptForm},          {"receipt_id", record.receipt_id}, {"reply_ids", record.reply_ids},
              {"owner", to_hex(record.owner)}, {"served_at", record.served_at},   {"receipt", record.receipt}};
  if (record.legacy) {
    out["legacy"] = {{"request_sha256", to_hex(record.legacy->request_sha256)},
                     {"response_sha256", to_hex(record.legacy->response_sha256)},
                     {"ecdsa", to_hex(record.legacy->ecdsa)}};
  }
  if (!record.event_hashes.empty()) out["event_hashes"] = to_base64(as_bytes(record.event_hashes));
  return out;
}

Json json_of(const Document& document) {
  return {{"form", kDocumentForm},
          {"kind", document.kind},
          {"key", document.key},
          {"made", document.made},
          {"text", document.text}};
}

Result<ExportItem> parse_line(std::string_view line, const StoreKeys* keys) {
  Result<Json> json = codec::parse_json(line, {.max_bytes = kMostLineBytes, .max_depth = 4, .max_values = 64});
  if (!json) return fail(kCode, json.error().message);
  const JsonReader reader(*json, kCode);
  TRY_VOID(reader.is_object());
  TRY(form, reader.text("form"));
  if (form == kReceiptForm || (form == kReceiptForm1 && keys != nullptr)) {
    TRY(record, read_receipt(reader));
    if (form == kReceiptForm1) record.owner = keys->owner(record.owner);
    return ExportItem(std::move(record));
  }
  if (form == kDocumentForm) {
    TRY(document, read_document(reader));
    return ExportItem(std::move(document));
  }
  return reader.bad("form", "expected cloister.receipt.v2 or cloister.document.v1");
}

}  // namespace

Result<std::string> write_export_line(const ExportItem& item) {
  std::string line = codec::write_json(std::visit([](const auto& each) { return json_of(each); }, item));
  // Parsed again: bytes that are not UTF-8 were replaced, and no line may be exported that nobody could import.
  TRY(again, parse_line(line, nullptr));
  if (again != item) return fail(kCode, "holds bytes that are not UTF-8");
  return line;
}

Result<ExportItem> parse_export_line(std::string_view line, const StoreKeys& keys) { return parse_line(line, &keys); }

}  // namespace cloister::store
