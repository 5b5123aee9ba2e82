// GET /v1/aci/attestation and /v1/cloister/attestation: the reports that bind the keyset. GET /v1/cloister/keyset and
// /v1/cloister/policy: the documents behind two of their digests, byte for byte.
#include "api/error_response.h"
#include "api/query_parameter.h"
#include "base/encoding.h"
#include "codec/jcs.h"
#include "evidence/json_reader.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

// ACI section 3.2: exactly 64 lower-case digits, so that the statement needs no escapes.
Result<std::optional<evidence::Nonce>> read_nonce(const http::Request& request) {
  TRY(text, api::query_parameter(request.query, "nonce"));
  if (!text) return std::optional<evidence::Nonce>();
  const bool lower = text->find_first_not_of("0123456789abcdef") == std::string::npos;
  const auto nonce = from_hex_exactly<32>(*text);
  if (lower && nonce) return std::optional(*nonce);
  return fail(ErrorCode::kInvalidRequest,
              "'nonce' must be 64 lower-case hex characters (32 bytes); for example: openssl rand -hex 32", "nonce");
}

void report(NodeContext& context, const api::Call& call, reports::ReportKind kind) {
  const auto nonce = read_nonce(call.exchange->request());
  if (!nonce) return reply(context, call, api::error_response(nonce.error()));
  reply_with_report(context, call, {.kind = kind, .nonce = *nonce});
}

// Whoever asks for a digest gets the document with that digest, or nothing: never another one.
using Former = std::optional<std::string> (identity::Identity::*)(std::string_view) const;
http::Response document(const NodeContext& context, const api::Call& call, std::string_view what,
                        const std::optional<std::string>& current, Former former) {
  const auto digest = http::query_value(call.exchange->request().query, "digest");
  const std::optional<std::string> text = digest ? (context.identity.*former)(*digest) : current;
  if (!text) {
    return api::error_response(fail(
        ErrorCode::kNotFound, digest ? "this node has had no " + std::string(what) + " of that digest since it started"
                                     : "this node has no " + std::string(what)));
  }
  http::Response response;
  response.body = *text;
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

std::optional<std::string> current_policy(const identity::Epoch& epoch) {
  if (epoch.policy.is_null()) return std::nullopt;
  const auto text = codec::write_jcs(epoch.policy);
  return text ? std::optional(*text) : std::nullopt;
}

http::Response tls_request(const NodeContext& context) {
  if (context.tls_request.empty()) {
    return api::error_response(
        fail(ErrorCode::kNotFound, "this node requests no certificate for its TLS key (--tls tee-key)"));
  }
  http::Response response;
  response.content_type = "application/x-pem-file";
  response.body = context.tls_request;
  return response;
}

}  // namespace

void install_identity(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.access = api::Access::kPublic;

  endpoint.path = "/v1/aci/attestation";
  endpoint.name = "aci_attestation";
  endpoint.handle = [&context](api::Call call) { report(context, call, reports::ReportKind::kAci); };
  registry.install(endpoint);

  endpoint.path = "/v1/cloister/attestation";
  endpoint.name = "cloister_attestation";
  endpoint.handle = [&context](api::Call call) { report(context, call, reports::ReportKind::kNative); };
  registry.install(endpoint);

  endpoint.path = "/v1/cloister/tls-request";
  endpoint.name = "tls_request";
  endpoint.handle = [&context](api::Call call) { reply(context, call, tls_request(context)); };
  registry.install(endpoint);

  endpoint.path = "/v1/cloister/keyset";
  endpoint.name = "cloister_keyset";
  endpoint.handle = [&context](api::Call call) {
    const auto epoch = context.identity.now();
    reply(context, call, document(context, call, "keyset", epoch->keyset, &identity::Identity::former_keyset));
  };
  registry.install(endpoint);

  endpoint.path = "/v1/cloister/policy";
  endpoint.name = "cloister_policy";
  endpoint.handle = [&context](api::Call call) {
    const auto epoch = context.identity.now();
    reply(context, call, document(context, call, "policy", current_policy(*epoch), &identity::Identity::former_policy));
  };
  registry.install(endpoint);
}

}  // namespace cloister::serve
