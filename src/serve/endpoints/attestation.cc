// GET and POST /v1/attestation/report: the legacy report, which today's verifiers ask for (docs/spec/legacy-proof.md).
#include <algorithm>

#include "api/client_name.h"
#include "api/error_response.h"
#include "api/query_parameter.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/secp256k1.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

Error invalid_parameter(std::string_view name, std::string message) {
  return fail(ErrorCode::kInvalidRequest, std::move(message), std::string(name));
}

// The parameters of one report, from query and body; "" = not given.
struct ReportParameters {
  std::string model, nonce, signing_algo, signing_address, include_tls_fingerprint, replicas, version;
};

// A value that is given in one place is not silently overridden by another.
Result<void> take(std::string_view name, std::string value, std::string& into) {
  if (!into.empty() && into != value) return invalid_parameter(name, "'" + std::string(name) + "' is given twice");
  into = std::move(value);
  return {};
}

Result<ReportParameters> read_parameters(const http::Request& request) {
  ReportParameters out;
  const std::pair<const char*, std::string*> members[] = {{"model", &out.model},
                                                          {"nonce", &out.nonce},
                                                          {"signing_algo", &out.signing_algo},
                                                          {"signing_address", &out.signing_address},
                                                          {"include_tls_fingerprint", &out.include_tls_fingerprint},
                                                          {"replicas", &out.replicas},
                                                          {"version", &out.version}};
  for (auto& [name, value] : members) {
    TRY(given, api::query_parameter(request.query, name));
    if (given == "" && value == &out.nonce) return invalid_parameter(name, "'nonce' is empty");
    *value = given.value_or("");
  }
  if (request.method != "POST" || request.body.empty()) return out;
  TRY(body, codec::parse_json(request.body));
  if (!body.is_object()) return fail(ErrorCode::kBadJson, "the request body must be a JSON object");
  for (auto& [name, value] : members) {
    auto member = body.find(name);
    if (member == body.end() || member->is_null()) continue;
    if (member->is_boolean()) {
      TRY_VOID(take(name, member->get<bool>() ? "true" : "false", *value));
    } else if (member->is_string()) {
      TRY_VOID(take(name, member->get<std::string>(), *value));
    } else {
      return invalid_parameter(name, "'" + std::string(name) + "' must be a string, got " + member->type_name());
    }
  }
  return out;
}

Result<bool> parse_flag(std::string_view name, std::string text, bool otherwise) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (text.empty()) return otherwise;
  if (text == "false" || text == "0") return false;
  if (text == "true" || text == "1") return true;
  return invalid_parameter(name, "'" + std::string(name) + "' must be true or false");
}

bool same_address(evidence::SigningAlgo algo, const std::string& ours, const std::string& asked) {
  if (algo == evidence::SigningAlgo::kEcdsa) {
    auto a = crypto::parse_eth_address(ours);
    auto b = crypto::parse_eth_address(asked);
    return a && b && *a == *b;
  }
  auto a = from_hex(ours);
  auto b = from_hex(asked);
  return a && b && *a == *b;
}

Result<reports::ReportQuery> make_query(const NodeContext& context, const ReportParameters& parameters) {
  reports::ReportQuery query;
  if (!parameters.signing_algo.empty()) {
    TRY(algo, evidence::parse_signing_algo(parameters.signing_algo));
    query.algo = algo;
  }
  if (!parameters.nonce.empty()) {
    Result<evidence::Nonce> nonce = from_hex_exactly<32>(parameters.nonce);
    if (!nonce) {
      return invalid_parameter("nonce", "'nonce' must be 64 hex characters (32 bytes), got " +
                                            std::to_string(parameters.nonce.size()) +
                                            " characters; for example: openssl rand -hex 32");
    }
    query.nonce = *nonce;
  }
  TRY(tls, parse_flag("include_tls_fingerprint", parameters.include_tls_fingerprint, false));
  query.include_tls_fingerprint = tls;
  // `version=2` is how dstack's gateways ask for the TLS key (docs/spec/legacy-proof.md, layout L2).
  if (parameters.version == "2") query.include_tls_fingerprint = true;
  if (!parameters.version.empty() && parameters.version != "1" && parameters.version != "2") {
    return invalid_parameter("version", "'version' must be 1 or 2");
  }
  TRY(with_replicas, parse_flag("replicas", parameters.replicas, true));
  query.with_replicas = with_replicas;
  if (!parameters.model.empty()) {
    auto models = context.engine.models();
    bool served = std::ranges::any_of(models, [&](const auto& model) { return model.id == parameters.model; });
    if (!served) return fail(ErrorCode::kModelNotFound, "this model is not served here", "model");
  }
  if (!parameters.signing_address.empty() &&
      !same_address(query.algo, context.keyring.signing_address(query.algo), parameters.signing_address)) {
    return fail(ErrorCode::kNotFound, "Signing address not found on this server", "signing_address");
  }
  return query;
}

void handle(NodeContext& context, const api::Call& call) {
  Result<ReportParameters> parameters = read_parameters(call.exchange->request());
  if (!parameters) return reply(context, call, api::error_response(parameters.error()));
  Result<reports::ReportQuery> query = make_query(context, *parameters);
  if (!query) return reply(context, call, api::error_response(query.error()));
  reply_with_report(context, call, *std::move(query));
}

}  // namespace

void reply_with_report(NodeContext& context, const api::Call& call, reports::ReportQuery query) {
  auto answer = [&context, call](Result<reports::AttestationService::Report> report) {
    if (!report) return reply(context, call, api::error_response(report.error()));
    http::Response response;
    response.body = **report;
    response.headers.emplace_back("cache-control", "no-store");
    reply(context, call, std::move(response));
  };
  if (context.attestation == nullptr) {
    return answer(fail(ErrorCode::kNoTee, "this node runs without a TEE and has no report to give"));
  }
  query.client = api::client_name(call);
  context.attestation->report(query, answer);
}

void install_attestation(api::EndpointRegistry& registry, NodeContext& context) {
  for (const char* method : {"GET", "POST"}) {
    api::Endpoint endpoint;
    endpoint.method = method;
    endpoint.path = "/v1/attestation/report";
    endpoint.name = "attestation_report";
    endpoint.access = api::Access::kPublic;
    endpoint.body_limit_bytes = 16 << 10;
    endpoint.handle = [&context](api::Call call) { handle(context, call); };
    registry.install(std::move(endpoint));
  }
}

}  // namespace cloister::serve
