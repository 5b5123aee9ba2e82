#include "evidence/aci/session.h"

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadSession;
constexpr std::size_t kMostBytes = 16u << 20;
constexpr std::size_t kMostBindings = 64;
constexpr std::string_view kDataUri = "data:";
constexpr std::string_view kBase64 = ";base64";

Result<ChannelBinding> read_binding(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  ChannelBinding out;
  TRY(type, reader.text("type"));
  out.type = std::move(type);
  if (out.type == "tls_spki_sha256") {
    TRY_VOID(reader.only({"type", "origin", "spki_sha256"}));
    TRY(origin, reader.text("origin"));
    TRY(hash, reader.hash("spki_sha256"));
    out = {ChannelBinding::Kind::kTlsSpki, std::move(out.type), std::move(origin), hash};
  } else if (out.type == "e2ee_public_key_sha256") {
    TRY_VOID(reader.only({"type", "provider", "key_id", "algorithm", "public_key_sha256"}));
    TRY(provider, reader.text("provider"));
    TRY(hash, reader.hash("public_key_sha256"));
    out = {ChannelBinding::Kind::kE2eeKey, std::move(out.type), std::move(provider), hash};
  }
  return out;
}

// "data:<media type>;base64,<base64>"
Result<void> read_data_uri(const JsonReader& reader, std::string_view uri, Session::Evidence& out) {
  const std::size_t comma = uri.find(',');
  if (!uri.starts_with(kDataUri) || comma == std::string_view::npos) return reader.bad("data", "expected a data URI");
  const std::string_view head = uri.substr(kDataUri.size(), comma - kDataUri.size());
  if (!head.ends_with(kBase64)) return reader.bad("data", "expected a data URI in base64");
  Result<Bytes> data = from_base64(uri.substr(comma + 1));
  if (!data) return reader.bad("data", data.error().message);
  out.media_type = head.substr(0, head.size() - kBase64.size());
  out.data = *std::move(data);
  return {};
}

Result<Session::Evidence> read_evidence(const Json& object) {
  const JsonReader reader(object, kCode, "evidence.");
  TRY_VOID(reader.only({"digest", "data"}));
  Session::Evidence out;
  TRY(digest, reader.digest("digest"));
  out.digest = digest;
  TRY(uri, reader.text("data"));
  TRY_VOID(read_data_uri(reader, uri, out));
  return out;
}

Result<void> read_members(const JsonReader& reader, Session& out) {
  TRY(upstream_name, reader.text("upstream_name"));
  out.upstream_name = std::move(upstream_name);
  TRY(endpoint, reader.optional_text("endpoint"));
  out.endpoint = std::move(endpoint);
  TRY(verifier_id, reader.text("verifier_id"));
  out.verifier_id = std::move(verifier_id);
  TRY(established_at, reader.whole_number("established_at"));
  out.established_at = established_at;
  TRY(expires_at, reader.whole_number("expires_at"));
  out.expires_at = expires_at;
  TRY(claims, reader.object("claims"));
  out.claims = *claims;
  TRY(bindings, reader.array("channel_binding", kMostBindings));
  for (const Json& element : *bindings) {
    TRY(binding, read_binding(element, "channel_binding[" + std::to_string(out.channel_binding.size()) + "]."));
    out.channel_binding.push_back(std::move(binding));
  }
  TRY(evidence, reader.optional_object("evidence"));
  if (evidence == nullptr) return {};
  TRY(read, read_evidence(*evidence));
  out.evidence = std::move(read);
  return {};
}

}  // namespace

Result<Session> parse_session(std::string_view json_text) {
  const Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostBytes, .max_depth = 32});
  if (!json) return fail(kCode, json.error().message);
  const JsonReader reader(*json, kCode);
  TRY_VOID(reader.only({"api_version", "upstream_name", "endpoint", "verifier_id", "established_at", "expires_at",
                        "identity", "channel_binding", "claims", "evidence"}));
  TRY(version, reader.text("api_version"));
  if (version != kAciVersion) return reader.bad("api_version", "expected aci/1");
  Session out;
  TRY_VOID(read_members(reader, out));
  const Result<std::string> canonical = codec::write_jcs(*json);
  if (!canonical) return fail(kCode, canonical.error().message);
  out.id = crypto::sha256(as_bytes(*canonical));
  return out;
}

}  // namespace cloister::evidence
