// Node: the HTTP side of a host. It admits requests (path, token, body size), hands them to endpoints, and owns nothing else.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "api/endpoint.h"
#include "http/server.h"
#include "serve/admitted_call.h"
#include "serve/node_context.h"

namespace cloister::serve {

class Node : public http::Handler {
 public:
  explicit Node(NodeContext context);

  std::optional<http::Admission> admit(const http::RequestHead& head, http::Parking& parking) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message, std::string_view path) override;

  NodeContext& context() { return context_; }

 private:
  // They take the authenticator's answer: for a head, and for a request whose body is complete.
  class AtHead;
  class AtBody;

  // node_admission.cc: before the body
  http::Admission refuse(const http::RequestHead& head, http::Response response) const;
  // Admits a request whose caller is known by now, or refuses it.
  http::Admission decide(const http::RequestHead& head, std::shared_ptr<AdmittedCall> admitted,
                         std::optional<Owner> answer) const;
  // Refuses a caller that may not use this endpoint, or a head that asks for what this node does not do. Absent when
  // the request may continue. `caller`: absent where the authenticator of this endpoint does not know it.
  std::optional<http::Response> refuse_caller(const api::Endpoint& endpoint, const std::optional<Owner>& caller) const;
  std::optional<http::Response> refuse_head(const http::RequestHead& head, const api::Endpoint& endpoint) const;
  // Refuses a prompt while it could not be answered as promised.
  std::optional<http::Response> refuse_for_now(const api::Endpoint& endpoint) const;
  // Refuses a request that is for a node with another configuration than this one.
  std::optional<http::Response> refuse_configuration(const http::RequestHead& head, const api::Endpoint& endpoint,
                                                     const identity::Epoch& epoch) const;

  // node.cc
  bool asks_operators(const api::Endpoint& endpoint) const;
  api::Authenticator& authenticator_of(const api::Endpoint& endpoint) const;
  // The caller that the answer of that authenticator means. An operator acts for no tenant.
  std::optional<Owner> caller_of(const api::Endpoint& endpoint, const std::optional<Owner>& answer) const;
  void serve(std::shared_ptr<http::Exchange> exchange, std::optional<Owner> caller);

  NodeContext context_;
  api::EndpointRegistry registry_;
};

}  // namespace cloister::serve
