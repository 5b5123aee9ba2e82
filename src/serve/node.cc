#include "serve/node.h"

#include <utility>

#include "api/aci_headers.h"
#include "api/error_response.h"
#include "net/later.h"
#include "serve/anthropic_path.h"
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

AdmittedCall& admitted_call(http::Exchange& exchange) { return static_cast<AdmittedCall&>(*exchange.admitted()); }

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

bool Node::asks_operators(const api::Endpoint& endpoint) const {
  return endpoint.access == api::Access::kOperator && context_.operators != nullptr;
}

api::Authenticator& Node::authenticator_of(const api::Endpoint& endpoint) const {
  return asks_operators(endpoint) ? *context_.operators : context_.auth;
}

std::optional<Owner> Node::caller_of(const api::Endpoint& endpoint, const std::optional<Owner>& answer) const {
  return answer && asks_operators(endpoint) ? Owner{} : answer;
}

class Node::AtBody final : public api::Authenticator::Done {
 public:
  AtBody(Node& node, std::shared_ptr<http::Exchange> exchange) : node_(node), exchange_(std::move(exchange)) {}

  void now(std::optional<Owner> answer) override { serve(node_, exchange_, answer); }

  Later later() override {
    // Whichever comes first answers: the authenticator or the end of patience. On the loop alone.
    auto over = std::make_shared<bool>(false);
    if (net::Loop* const loop = exchange_->loop()) {
      net::run_later(*loop, node_.context_.caller_timeout, [&node = node_, over, weak = std::weak_ptr(exchange_)] {
        const std::shared_ptr<http::Exchange> exchange = weak.lock();
        if (exchange == nullptr || std::exchange(*over, true)) return;
        const api::Call call{exchange, &admitted_call(*exchange).endpoint};
        reply(node.context_, call,
              api::error_response(fail(ErrorCode::kBusy, "the caller could not be identified in time; try again"),
                                  call.endpoint->anthropic_dialect));
      });
    }
    return [&node = node_, over, exchange = exchange_](std::optional<Owner> answer) {
      exchange->post([&node, over, exchange, answer] {
        if (!std::exchange(*over, true)) serve(node, exchange, answer);
      });
    };
  }

 private:
  static void serve(Node& node, const std::shared_ptr<http::Exchange>& exchange, const std::optional<Owner>& answer) {
    node.serve(exchange, node.caller_of(admitted_call(*exchange).endpoint, answer));
  }

  Node& node_;
  const std::shared_ptr<http::Exchange> exchange_;
};

void Node::handle(std::shared_ptr<http::Exchange> exchange) {
  const AdmittedCall& admitted = admitted_call(*exchange);
  api::Authenticator& authenticator = authenticator_of(admitted.endpoint);
  if (authenticator.version() == admitted.version) return serve(std::move(exchange), admitted.caller);
  // Tokens have changed since the head arrived, and an unknown caller must not become nobody.
  AtBody done(*this, exchange);
  authenticator.authenticate(exchange->request(), done);
}

void Node::serve(std::shared_ptr<http::Exchange> exchange, std::optional<Owner> caller) {
  const AdmittedCall& admitted = admitted_call(*exchange);
  const api::Endpoint& endpoint = admitted.endpoint;
  const http::Request& request = exchange->request();
  api::Call call{std::move(exchange), &endpoint, admitted.path_argument, caller, context_.identity.now()};
  auto refusal = refuse_caller(endpoint, caller);
  // Checked again: the configuration may have changed since the head arrived.
  if (!refusal) refusal = refuse_configuration(request, endpoint, *call.epoch);
  if (refusal) return reply(context_, call, *std::move(refusal));
  endpoint.handle(std::move(call));
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
