// The half of Node that decides about requests before their bodies.
#include <algorithm>
#include <utility>

#include "api/aci_headers.h"
#include "api/asked_protection.h"
#include "api/client_name.h"
#include "api/error_response.h"
#include "api/media_type.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "serve/anthropic_path.h"
#include "serve/node.h"

namespace cloister::serve {
namespace {

// True when the configuration in force is the one that the request is for, where it names one (docs/spec/policy.md). A
// node that was verified and another one can have the same keys, where they differ in what the keys do not depend on.
bool is_meant_for(const http::RequestHead& head, const std::optional<ByteArray<32>>& policy_digest) {
  return std::ranges::all_of(head.headers, [&policy_digest](const auto& header) {
    return header.first != evidence::kExpectedPolicyHeader ||
           (policy_digest && header.second == evidence::digest_text(*policy_digest));
  });
}

}  // namespace

std::optional<http::Response> Node::refuse_caller(const api::Endpoint& endpoint,
                                                  const std::optional<Owner>& caller) const {
  const auto unauthorized = [&](const char* message) {
    return api::error_response(fail(ErrorCode::kUnauthorized, message), endpoint.anthropic_dialect);
  };
  if (endpoint.access == api::Access::kToken && !caller) {
    return unauthorized("a valid token is required: Authorization: Bearer <token>");
  }
  if (endpoint.access != api::Access::kOperator) return std::nullopt;
  if (asks_operators(endpoint)) {
    if (caller) return std::nullopt;
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
  if (endpoint.takes_prompts || endpoint.receipted) {
    const bool has_receipts = endpoint.receipted && context_.receipts != nullptr;
    if (const auto refusal = api::refused_headers(head, has_receipts)) return refuse(*refusal);
  }
  if (endpoint.takes_prompts) {
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

std::optional<http::Response> Node::refuse_for_now(const api::Endpoint& endpoint) const {
  std::optional<Error> refusal;
  if (endpoint.takes_prompts && context_.gpu_gate != nullptr) refusal = context_.gpu_gate->refusal();
  if (!refusal && endpoint.receipted && context_.receipts != nullptr) refusal = context_.receipts->refusal();
  if (!refusal) return std::nullopt;
  return api::error_response(*refusal, endpoint.anthropic_dialect);
}

http::Admission Node::refuse(const http::RequestHead& head, http::Response response) const {
  context_.cors.decorate(head, response.headers);
  api::add_aci_headers(*context_.identity.now(), response.headers);
  context_.metrics.requests.count_request("refused", response.status);
  return http::Admission{0, std::make_shared<const http::Response>(std::move(response))};
}

class Node::AtHead final : public api::Authenticator::Done {
 public:
  AtHead(const Node& node, const http::RequestHead& head, http::Parking& parking,
         std::shared_ptr<AdmittedCall> admitted)
      : node_(node), head_(head), parking_(parking), admitted_(std::move(admitted)) {}

  void now(std::optional<Owner> answer) override { admission_ = node_.decide(head_, std::move(admitted_), answer); }

  // The rest happens on the loop, which has the head.
  Later later() override {
    return [&node = node_, admitted = admitted_, resume = parking_.park()](std::optional<Owner> answer) {
      resume([&node, admitted, answer](const http::RequestHead& head) { return node.decide(head, admitted, answer); });
    };
  }

  // Absent when the authenticator answers later.
  std::optional<http::Admission> take_admission() { return std::move(admission_); }

 private:
  const Node& node_;
  const http::RequestHead& head_;
  http::Parking& parking_;
  std::shared_ptr<AdmittedCall> admitted_;
  std::optional<http::Admission> admission_;
};

std::optional<http::Admission> Node::admit(const http::RequestHead& head, http::Parking& parking) {
  // The same for every path: the caller learns nothing about which paths exist.
  if (const auto refusal = context_.web.refusal(head)) return refuse(head, api::to_response(*refusal, false));
  if (head.method == "OPTIONS") {
    http::Response response = context_.cors.preflight(head);
    api::add_aci_headers(*context_.identity.now(), response.headers);
    return http::Admission{0, std::make_shared<const http::Response>(std::move(response))};
  }
  const api::EndpointRegistry::Match match = registry_.find(head.method, head.path);
  if (match.endpoint == nullptr && !match.allowed_methods.empty()) {
    http::Response response = api::error_response(
        fail(ErrorCode::kMethodNotAllowed, "this path answers " + match.allowed_methods), is_anthropic_path(head.path));
    response.headers.emplace_back("allow", match.allowed_methods + ", OPTIONS");
    return refuse(head, std::move(response));
  }
  if (match.endpoint == nullptr) {
    return refuse(head, api::error_response(fail(ErrorCode::kNotFound, "there is nothing at this path"),
                                            is_anthropic_path(head.path)));
  }
  api::Authenticator& authenticator = authenticator_of(*match.endpoint);
  AtHead done(*this, head, parking,
              std::make_shared<AdmittedCall>(*match.endpoint, match.path_argument, authenticator.version()));
  authenticator.authenticate(head, done);
  return done.take_admission();
}

http::Admission Node::decide(const http::RequestHead& head, std::shared_ptr<AdmittedCall> admitted,
                             std::optional<Owner> answer) const {
  const api::Endpoint& endpoint = admitted->endpoint;
  admitted->caller = caller_of(endpoint, answer);
  if (auto refusal = refuse_caller(endpoint, admitted->caller)) return refuse(head, *std::move(refusal));
  if (auto refusal = refuse_head(head, endpoint)) return refuse(head, *std::move(refusal));
  // Checked before a byte of the prompt is read.
  if (auto refusal = refuse_for_now(endpoint)) return refuse(head, *std::move(refusal));
  std::string client = api::client_name(admitted->caller.value_or(Owner{}), head.peer, head.peer_is_loopback);
  return http::Admission{endpoint.body_limit_bytes, nullptr, std::move(client), std::move(admitted)};
}

}  // namespace cloister::serve
