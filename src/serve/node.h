// Node: the HTTP side of a host. It admits requests (path, token, body size), hands them to endpoints, and owns nothing else.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "api/endpoint.h"
#include "http/server.h"
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
  // Refuses a caller that may not use this endpoint, or a head that asks for what this node does not do. Absent when
  // the request may continue. `owner`: of the client's token; absent where it has no known one.
  std::optional<http::Response> refuse_caller(const http::RequestHead& head, const api::Endpoint& endpoint,
                                              const std::optional<Owner>& owner) const;
  std::optional<http::Response> refuse_head(const http::RequestHead& head, const api::Endpoint& endpoint) const;
  // Refuses a request that is for a node with another configuration than this one.
  std::optional<http::Response> refuse_configuration(const http::RequestHead& head, const api::Endpoint& endpoint,
                                                     const identity::Epoch& epoch) const;

  NodeContext context_;
  api::EndpointRegistry registry_;
};

}  // namespace cloister::serve
