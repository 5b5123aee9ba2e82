#include "serve/node.h"

#include <algorithm>

#include "api/aci_headers.h"
#include "api/asked_protection.h"
#include "api/client_name.h"
#include "api/error_response.h"
#include "api/media_type.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

ErrorCode code_of_protocol_error(int status) {
  switch (status) {
    case 408: return ErrorCode::kTimeout;
    case 413: return ErrorCode::kTooLarge;
    case 503: return ErrorCode::kBusy;
    default: return ErrorCode::kBadHttp;
  }
}

// True when the configuration in force is the one that the request is for, where it names one (docs/spec/policy.md). A
// node that was verified and another one can have the same keys, where they differ in what the keys do not depend on.
bool is_meant_for(const http::RequestHead& head, const std::optional<ByteArray<32>>& policy_digest) {
  return std::ranges::all_of(head.headers, [&policy_digest](const auto& header) {
    return header.first != evidence::kExpectedPolicyHeader ||
           (policy_digest && header.second == evidence::digest_text(*policy_digest));
  });
}

// Errors below Anthropic's routes have Anthropic's shape, whether or not an endpoint exists.
bool is_anthropic_path(std::string_view path) { return path == "/v1/messages" || path.starts_with("/v1/messages/"); }

}  // namespace

Node::Node(NodeContext context) : context_(std::move(context)) {
  install_inference(registry_, context_);
  install_attestation(registry_, context_);
  install_identity(registry_, context_);
  install_receipts(registry_, context_);
  install_signature(registry_, context_);
  install_models(registry_, context_);
  install_health(registry_, context_);
  install_page(registry_, context_);
}

std::optional<http::Response> Node::refuse_caller(const http::RequestHead& head, const api::Endpoint& endpoint,
                                                  const std::optional<Owner>& owner) const {
  const auto unauthorized = [&](const char* message) {
    return api::error_response(fail(ErrorCode::kUnauthorized, message), endpoint.anthropic_dialect);
  };
  if (endpoint.access == api::Access::kToken && !owner) {
    return unauthorized("a valid token is required: Authorization: Bearer <token>");
  }
  if (endpoint.access != api::Access::kOperator) return std::nullopt;
  if (context_.operators != nullptr) {
    if (context_.operators->authenticate(head.headers)) return std::nullopt;
    return unauthorized("a token of the operator is required: Authorization: Bearer <token>");
  }
  if (context_.anybody_operates) return std::nullopt;
  return api::error_response(fail(ErrorCode::kForbidden, "only the operator may read this: see --admin-token-file"));
}

std::optional<http::Response> Node::refuse_head(const http::RequestHead& head, const api::Endpoint& endpoint) const {
  const auto refuse = [&](const api::Refusal& refusal) {
    return api::to_response(refusal, endpoint.anthropic_dialect);
  };
  if (api::is_coded(head)) {
    http::Response response = refuse({415, "invalid_request_error", "request.content_encoding",
                                      "a request body must not have a content-encoding", "content-encoding"});
    response.headers.emplace_back("accept-encoding", "identity");  // RFC 9110, section 15.5.16
    return response;
  }
  if (endpoint.takes_prompts) {
    if (const auto refusal = api::refused_headers(head, context_.receipts != nullptr)) return refuse(*refusal);
    if (auto refusal = refuse_configuration(head, endpoint, *context_.identity.now())) return refusal;
  }
  const bool has_body = head.header("content-length").value_or("0") != "0" || head.header("transfer-encoding");
  if (endpoint.method != "POST" || (!has_body && !endpoint.takes_prompts)) return std::nullopt;
  const std::string type = api::media_type(head);
  if (type == "application/json" || (endpoint.takes_files && type == "multipart/form-data")) return std::nullopt;
  return refuse({415, "invalid_request_error", "request.media_type",
                 endpoint.takes_files ? "expected the content-type application/json or multipart/form-data"
                                      : "expected the content-type application/json",
                 "content-type"});
}

std::optional<http::Response> Node::refuse_configuration(const http::RequestHead& head, const api::Endpoint& endpoint,
                                                         const identity::Epoch& epoch) const {
  if (!endpoint.takes_prompts || is_meant_for(head, epoch.policy_digest)) return std::nullopt;
  return api::to_response({409, "invalid_request_error", "request.configuration_changed",
                           "the request is for a node of another configuration: verify this node again",
                           std::string(evidence::kExpectedPolicyHeader)},
                          endpoint.anthropic_dialect);
}

std::optional<http::Admission> Node::admit(const http::RequestHead& head, http::Parking&) {
  auto refuse = [&](http::Response response) {
    context_.cors.decorate(head, response.headers);
    api::add_aci_headers(*context_.identity.now(), response.headers);
    context_.metrics.requests.count_request("refused", response.status);
    return http::Admission{0, std::make_shared<const http::Response>(std::move(response))};
  };
  // The same for every path: the caller learns nothing about which paths exist.
  if (const auto refusal = context_.web.refusal(head)) return refuse(api::to_response(*refusal, false));
  if (head.method == "OPTIONS") {
    http::Response response = context_.cors.preflight(head);
    api::add_aci_headers(*context_.identity.now(), response.headers);
    return http::Admission{0, std::make_shared<const http::Response>(std::move(response))};
  }
  api::EndpointRegistry::Match match = registry_.find(head.method, head.path);
  if (match.endpoint == nullptr && !match.allowed_methods.empty()) {
    http::Response response = api::error_response(
        fail(ErrorCode::kMethodNotAllowed, "this path answers " + match.allowed_methods), is_anthropic_path(head.path));
    response.headers.emplace_back("allow", match.allowed_methods + ", OPTIONS");
    return refuse(std::move(response));
  }
  if (match.endpoint == nullptr) {
    return refuse(
        api::error_response(fail(ErrorCode::kNotFound, "there is nothing at this path"), is_anthropic_path(head.path)));
  }
  const std::optional<Owner> owner = context_.auth.authenticate(head.headers);
  if (auto refusal = refuse_caller(head, *match.endpoint, owner)) return refuse(*std::move(refusal));
  if (auto refusal = refuse_head(head, *match.endpoint)) return refuse(*std::move(refusal));
  if (match.endpoint->takes_prompts && context_.gpu_gate != nullptr) {
    // Checked before a byte of the prompt is read.
    if (const auto refusal = context_.gpu_gate->refusal())
      return refuse(api::error_response(*refusal, match.endpoint->anthropic_dialect));
  }
  if (match.endpoint->takes_prompts && context_.receipts != nullptr) {
    if (const auto refusal = context_.receipts->refusal())
      return refuse(api::error_response(*refusal, match.endpoint->anthropic_dialect));
  }
  std::string client = api::client_name(owner.value_or(Owner{}), head.peer, head.peer_is_loopback);
  return http::Admission{match.endpoint->body_limit_bytes, nullptr, std::move(client)};
}

void Node::handle(std::shared_ptr<http::Exchange> exchange) {
  const http::Request& request = exchange->request();
  api::EndpointRegistry::Match match = registry_.find(request.method, request.path);
  api::Call call;
  call.path_argument = match.path_argument;
  call.epoch = context_.identity.now();
  call.exchange = std::move(exchange);
  // Checked again: tokens and configuration may have changed since the head arrived, and an unknown caller must not become nobody.
  const std::optional<Owner> owner = context_.auth.authenticate(request.headers);
  auto refusal = refuse_caller(request, *match.endpoint, owner);
  if (!refusal) refusal = refuse_configuration(request, *match.endpoint, *call.epoch);
  if (refusal) return reply(context_, call, match.endpoint->name, *std::move(refusal));
  call.owner = owner.value_or(Owner{});
  match.endpoint->handle(std::move(call));
}

http::Response Node::protocol_error(int status, std::string_view message, std::string_view path) {
  http::Response response =
      api::error_response(fail(code_of_protocol_error(status), std::string(message)), is_anthropic_path(path));
  response.status = status;
  api::add_aci_headers(*context_.identity.now(), response.headers);
  context_.metrics.requests.count_request("protocol", status);
  return response;
}

}  // namespace cloister::serve
