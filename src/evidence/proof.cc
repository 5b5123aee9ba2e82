#include "evidence/proof.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kFormat = "cloister.proof.v1";
constexpr std::size_t kMostBytes = 64u << 20;
constexpr std::array<std::string_view, 9> kMembers = {"proof",    "url",       "time",   "nonce",          "request",
                                                      "response", "signature", "report", "tls_spki_sha256"};

Error malformed(const std::string& message) { return fail(ErrorCode::kBadProof, "proof file: " + message); }

Result<std::string> text_member(const Json& object, std::string_view name) {
  Result<std::string> text = codec::string_member(object, name);
  if (!text) return malformed(text.error().message);
  return text;
}

Result<Bytes> base64_member(const Json& object, std::string_view name) {
  TRY(text, text_member(object, name));
  Result<Bytes> bytes = from_base64(text);
  if (!bytes) return malformed("`" + std::string(name) + "`: " + bytes.error().message);
  return bytes;
}

Result<void> check_form(const Json& object) {
  TRY(format, text_member(object, "proof"));
  if (format != kFormat) return malformed("expected `proof` to be " + std::string(kFormat));
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) return malformed("it has a member of an unknown name");
  }
  return {};
}

}  // namespace

std::string write_proof(const Proof& proof) {
  Json json = {{"proof", kFormat},
               {"url", proof.url},
               {"time", to_rfc3339(proof.time)},
               {"nonce", proof.nonce_hex},
               {"request", to_base64(proof.request)},
               {"response", to_base64(proof.response)},
               {"signature", to_json(proof.signature)},
               {"report", proof.report}};
  if (proof.tls_spki_sha256) json["tls_spki_sha256"] = to_hex(*proof.tls_spki_sha256);
  return codec::write_json(json);
}

Result<Proof> parse_proof(std::string_view json_text) {
  Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostBytes, .max_depth = 8});
  if (!json) return malformed(json.error().message);
  TRY_VOID(check_form(*json));
  Proof proof;
  TRY(url, text_member(*json, "url"));
  proof.url = std::move(url);
  TRY(time_text, text_member(*json, "time"));
  const Result<UnixSeconds> time = from_rfc3339(time_text);
  // Each time has one text, the form that write_proof writes, so there is no 31st of February and no leap second.
  if (!time || to_rfc3339(*time) != time_text) {
    return malformed("expected `time` to be a UTC time like 2026-11-22T21:31:00Z");
  }
  proof.time = *time;
  TRY(nonce, text_member(*json, "nonce"));
  if (!nonce.empty() && !from_hex_exactly<32>(nonce)) return malformed("expected `nonce` to be 64 hex digits");
  proof.nonce_hex = std::move(nonce);
  TRY(request, base64_member(*json, "request"));
  proof.request = std::move(request);
  TRY(response, base64_member(*json, "response"));
  proof.response = std::move(response);
  Result<const Json*> signature_object = codec::object_member(*json, "signature");
  if (!signature_object) return malformed(signature_object.error().message);
  Result<ChatSignature> signature = parse_chat_signature(**signature_object);
  if (!signature) return malformed(signature.error().message);
  proof.signature = *std::move(signature);
  TRY(report, text_member(*json, "report"));
  proof.report = std::move(report);
  if (json->contains("tls_spki_sha256")) {
    TRY(key_text, text_member(*json, "tls_spki_sha256"));
    const Result<ByteArray<32>> key = from_hex_exactly<32>(key_text);
    if (!key) return malformed("expected `tls_spki_sha256` to be 64 hex digits");
    proof.tls_spki_sha256 = *key;
  }
  return proof;
}

}  // namespace cloister::evidence
