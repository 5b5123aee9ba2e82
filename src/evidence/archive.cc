#include "evidence/archive.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kFormat = "cloister.archive.v1";
constexpr std::string_view kOpening = R"({"archive":"cloister.archive.v1")";
constexpr codec::JsonLimits kLimits = {kMostArchiveBytes, 16, 1u << 20};
constexpr std::array<std::string_view, 12> kMembers = {"archive",  "judged_at",      "receipt",      "report",
                                                       "keyset",   "session",        "nonce",        "request",
                                                       "response", "model_manifest", "prefix_proof", "collateral"};

Error malformed(const std::string& message) { return fail(ErrorCode::kBadArchive, "archive: " + message); }

Result<std::optional<std::string>> optional_text(const Json& object, const char* name) {
  if (!object.contains(name)) return std::optional<std::string>();
  Result<std::string> text = codec::string_member(object, name);
  if (!text) return malformed(text.error().message);
  return std::optional(*std::move(text));
}

Result<std::optional<std::string>> optional_bytes(const Json& object, const char* name) {
  TRY(text, optional_text(object, name));
  if (!text) return text;
  const Result<Bytes> bytes = from_base64(*text);
  if (!bytes) return malformed("`" + std::string(name) + "`: " + bytes.error().message);
  return std::optional(std::string(as_text(*bytes)));
}

Result<std::optional<ByteArray<32>>> optional_nonce(const Json& object) {
  TRY(text, optional_text(object, "nonce"));
  if (!text) return std::optional<ByteArray<32>>();
  const Result<ByteArray<32>> nonce = from_hex_exactly<32>(*text);
  if (!nonce || to_hex(*nonce) != *text) return malformed("expected `nonce` to be 64 hex digits in lower case");
  return std::optional(*nonce);
}

Result<void> check_form(const Json& object) {
  if (!object.is_object()) return malformed("expected a JSON object");
  TRY(format, optional_text(object, "archive"));
  if (format != kFormat) return malformed("expected `archive` to be " + std::string(kFormat));
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) return malformed("it has a member of an unknown name");
  }
  if (object.contains("report") && object.contains("keyset"))
    return malformed("it has a report and a keyset: one of both");
  return {};
}

Result<void> read_texts(const Json& object, Archive& out) {
  TRY(receipt, optional_text(object, "receipt"));
  if (!receipt) return malformed("it has no receipt");
  out.receipt = *std::move(receipt);
  TRY(report, optional_text(object, "report"));
  out.report = std::move(report);
  TRY(keyset, optional_text(object, "keyset"));
  out.keyset = std::move(keyset);
  TRY(session, optional_text(object, "session"));
  out.session = std::move(session);
  TRY(manifest, optional_text(object, "model_manifest"));
  out.model_manifest = std::move(manifest);
  TRY(proof, optional_text(object, "prefix_proof"));
  out.prefix_proof = std::move(proof);
  return {};
}

}  // namespace

std::string write_archive(const Archive& archive) {
  Json object = {{"archive", kFormat}, {"judged_at", to_rfc3339(archive.judged_at)}, {"receipt", archive.receipt}};
  const auto put = [&object](const char* name, const std::optional<std::string>& text) {
    if (text) object[name] = *text;
  };
  put("report", archive.report);
  put("keyset", archive.keyset);
  put("session", archive.session);
  if (archive.nonce) object["nonce"] = to_hex(*archive.nonce);
  if (archive.request) object["request"] = to_base64(as_bytes(*archive.request));
  if (archive.response) object["response"] = to_base64(as_bytes(*archive.response));
  put("model_manifest", archive.model_manifest);
  put("prefix_proof", archive.prefix_proof);
  if (!archive.collateral.is_null()) object["collateral"] = archive.collateral;
  return codec::write_json(object) + "\n";
}

bool is_archive(std::string_view text) { return text.starts_with(kOpening); }

Result<Archive> parse_archive(std::string_view text) {
  Result<Json> object = codec::parse_json(text, kLimits);
  if (!object) return malformed(object.error().message);
  TRY_VOID(check_form(*object));
  Archive archive;
  TRY(time_text, optional_text(*object, "judged_at"));
  const Result<UnixSeconds> time = from_rfc3339(time_text.value_or(""));
  // Each time has one text, as write_archive() writes it.
  if (!time || to_rfc3339(*time) != *time_text) {
    return malformed("expected `judged_at` to be a UTC time like 2026-11-22T21:31:00Z");
  }
  archive.judged_at = *time;
  TRY_VOID(read_texts(*object, archive));
  TRY(nonce, optional_nonce(*object));
  archive.nonce = nonce;
  TRY(request, optional_bytes(*object, "request"));
  archive.request = std::move(request);
  TRY(response, optional_bytes(*object, "response"));
  archive.response = std::move(response);
  if (const auto found = object->find("collateral"); found != object->end()) {
    if (!found->is_object()) return malformed("expected `collateral` to be an object");
    archive.collateral = *found;
  }
  return archive;
}

}  // namespace cloister::evidence
