#include "verify/subject/saved_evidence.h"

#include <set>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/bundle.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kFormat = "cloister.evidence.v1";
constexpr std::string_view kOpening = "{\"format\":\"cloister.evidence.v1\"";
constexpr codec::JsonLimits kLimits = {evidence::kMostArchiveBytes, 16, 1u << 20};

const std::set<std::string> kMembers = {"format", "kind",  "saved_at",        "evidence",
                                        "beside", "nonce", "tls_spki_sha256", "collateral"};
const std::set<std::string> kBeside = {"address",     "app-compose", "ccel",     "chain",        "event-log", "id",
                                       "instances",   "keyset",      "model",    "prefix-proof", "receipt",   "report",
                                       "report-data", "request",     "response", "session",      "vm-config"};

Result<void> check_names(const Json& object, const std::set<std::string>& known) {
  for (const auto& [name, value] : object.items()) {
    if (!known.contains(name)) return fail(ErrorCode::kBadJson, "saved evidence has an unknown member", name);
  }
  return {};
}

Result<std::map<std::string, std::string>> read_beside(const Json& object) {
  std::map<std::string, std::string> out;
  if (!object.contains("beside")) return out;
  TRY(files, codec::object_member(object, "beside"));
  TRY_VOID(check_names(*files, kBeside));
  for (const auto& [name, value] : files->items()) {
    TRY(text, codec::string_member(*files, name));
    TRY(bytes, from_base64(text));
    out.emplace(name, as_text(bytes));
  }
  return out;
}

Result<std::optional<ByteArray<32>>> optional_digest(const Json& object, const char* name) {
  if (!object.contains(name)) return std::optional<ByteArray<32>>();
  TRY(hex, codec::string_member(object, name));
  TRY(bytes, from_hex_exactly<32>(hex));
  return std::optional<ByteArray<32>>(bytes);
}

}  // namespace

const std::string* SavedEvidence::find_beside(const std::string& name) const {
  const auto found = beside.find(name);
  return found == beside.end() ? nullptr : &found->second;
}

std::string write_saved_evidence(const SavedEvidence& saved) {
  Json object = {{"format", kFormat},
                 {"kind", saved.kind},
                 {"saved_at", to_rfc3339(saved.saved_at)},
                 {"evidence", to_base64(as_bytes(saved.evidence))}};
  for (const auto& [name, bytes] : saved.beside) object["beside"][name] = to_base64(as_bytes(bytes));
  if (saved.nonce) object["nonce"] = to_hex(*saved.nonce);
  if (saved.tls_spki_sha256) object["tls_spki_sha256"] = to_hex(*saved.tls_spki_sha256);
  std::string text = codec::write_json(object);
  // Inserted as a member that is already written, since a bundle is itself a file format with one writer.
  text.back() = ',';
  return text + "\"collateral\":" + write_bundle(saved.collateral) + "}\n";
}

bool is_saved_evidence(std::string_view text) { return text.starts_with(kOpening); }

Result<SavedEvidence> parse_saved_evidence(std::string_view text) {
  TRY(object, codec::parse_json(text, kLimits));
  TRY_VOID(check_names(object, kMembers));
  TRY(format, codec::string_member(object, "format"));
  if (format != kFormat)
    return fail(ErrorCode::kBadJson, "saved evidence is of another format than cloister.evidence.v1");
  SavedEvidence saved;
  TRY(kind, codec::string_member(object, "kind"));
  TRY(evidence, codec::string_member(object, "evidence"));
  TRY(bytes, from_base64(evidence));
  TRY(saved_at, codec::string_member(object, "saved_at"));
  TRY(time, from_rfc3339(saved_at));
  TRY(beside, read_beside(object));
  TRY(nonce, optional_digest(object, "nonce"));
  TRY(tls, optional_digest(object, "tls_spki_sha256"));
  TRY(collateral_object, codec::object_member(object, "collateral"));
  TRY(collateral, parse_bundle(codec::write_json(*collateral_object)));
  saved.kind = std::move(kind);
  saved.evidence = std::string(as_text(bytes));
  saved.beside = std::move(beside);
  saved.saved_at = time;
  saved.nonce = nonce;
  saved.tls_spki_sha256 = tls;
  saved.collateral = std::move(collateral);
  return saved;
}

}  // namespace cloister::verify
