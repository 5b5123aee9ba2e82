#include "serve/asked_protection.h"

#include <algorithm>
#include <array>

#include "codec/json.h"
#include "serve/openai/error_body.h"

namespace cloister::serve {
namespace {

constexpr std::string_view kNotEncrypted = "this node encrypts no bodies and no fields; it refuses what asks for that";

Refusal invalid(std::string message, std::string param) {
  return {400, "invalid_request_error", "request.invalid", std::move(message), std::move(param)};
}

Refusal encryption(std::string type, std::string_view header) {
  const std::string code = type;
  return {400, std::move(type), code, std::string(kNotEncrypted), std::string(header)};
}

bool speaks_of(std::string_view name, std::string_view word) { return name.find(word) != std::string_view::npos; }

// docs/spec/encryption.md holds the table.
std::optional<Refusal> refused_header(std::string_view name) {
  if (name.starts_with("ehbp-")) {
    // The client takes it that the node's key has changed, asks for the new one and finds none.
    return Refusal{422, "urn:ietf:params:ehbp:error:key-config", "ehbp.key_config", std::string(kNotEncrypted),
                   std::string(name), true};
  }
  if (name == "x-encryption-version" || name == "x-encrypt-all-fields") return encryption("bad_request", name);
  const bool family = name.starts_with("x-e2ee-") || name.starts_with("x-e2e-") || name.starts_with("x-venice-tee-") ||
                      name == "x-signing-algo" || name == "x-client-pub-key" || name == "x-model-pub-key";
  constexpr std::array<std::string_view, 6> kWords = {"encrypt", "e2ee", "hpke", "pub-key", "public-key", "ciphertext"};
  const bool speaks = std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return speaks_of(name, word); });
  if (family || speaks) return encryption("e2ee_invalid_version", name);
  if (name == "x-upstream-verification") {
    return invalid("X-Upstream-Verification cannot be set by a caller", "x-upstream-verification");
  }
  return std::nullopt;
}

bool is_true(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::optional<Refusal> refused_provider(const Json& provider, bool serves_itself) {
  if (!provider.is_object()) return std::nullopt;
  for (const auto& [name, value] : provider.items()) {
    const std::string param = "provider." + name.substr(0, 64);
    if (!name.starts_with("aci_")) continue;
    if (name == "aci_verified") {
      if (!value.is_boolean()) return invalid("'" + param + "' must be a boolean", param);
      if (!value.get<bool>() || serves_itself) continue;
      return Refusal{503, "upstream_verification_failed", "upstream_verification_failed",
                     "the engine is outside of this TEE and was not verified", param};
    }
    if (name != "aci_session_ids") return invalid("'" + param + "' is not known here", param);
    return Refusal{412, "session_not_accepted", "session_not_accepted", "this node has no attested sessions", param};
  }
  return std::nullopt;
}

}  // namespace

http::Response to_response(const Refusal& refusal, bool anthropic_dialect) {
  http::Response response;
  response.status = refusal.status;
  if (refusal.problem) {
    response.content_type = "application/problem+json";
    response.body = codec::write_json({{"type", refusal.type}, {"title", "key configuration mismatch"}, {"detail", refusal.message}});
    return response;
  }
  if (anthropic_dialect) {
    response.body = codec::write_json({{"type", "error"}, {"error", {{"type", refusal.type}, {"message", refusal.message}}}});
    return response;
  }
  response.body = codec::write_json({{"error",
                                      {{"message", refusal.message},
                                       {"type", refusal.type},
                                       {"param", refusal.param.empty() ? Json(nullptr) : Json(refusal.param)},
                                       {"code", refusal.code}}}});
  return response;
}

std::optional<Refusal> refused_headers(const http::RequestHead& head, bool has_receipts) {
  for (const auto& [name, value] : head.headers) {
    if (auto refusal = refused_header(name)) return refusal;
    if (name != "x-receipt") continue;
    if (value != "inline") return invalid("'X-Receipt' must be 'inline'", "x-receipt");
    if (!has_receipts) return invalid("this node makes no receipts", "x-receipt");
  }
  return std::nullopt;
}

bool asks_for_protection(std::string_view member) {
  return member == "provider" || member == "venice_parameters" || member == "cache_salt";
}

std::optional<Refusal> refused_members(const Json& members, bool serves_itself, bool takes_cache_salt) {
  if (const auto venice = members.find("venice_parameters");
      venice != members.end() && venice->is_object() && is_true(*venice, "enable_e2ee")) {
    return encryption("e2ee_invalid_version", "venice_parameters.enable_e2ee");
  }
  if (const auto salt = members.find("cache_salt"); salt != members.end() && !salt->is_null() && !takes_cache_salt) {
    return invalid("'cache_salt' is not taken here: prompts of one credential share a cache", "cache_salt");
  }
  const auto provider = members.find("provider");
  return provider == members.end() ? std::nullopt : refused_provider(*provider, serves_itself);
}

}  // namespace cloister::serve
