// VerifiedConnection: the one way by which content leaves a client. Prompts, the bearer token and all that is asked about
// replies go through it and through nothing else (docs/threat-model.md, "What leaves a client").
//
// Every request has a TCP connection of its own, and the TLS key that the node's report binds is compared in the
// handshake of each: whoever shows another key gets no byte of a request. Without TLS there is no key to compare: then the
// node has to be on this machine, or its user has asked for http to another machine, to which no token is sent.
//
// Any thread; every request blocks.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "client/host_check.h"
#include "client/node_address.h"
#include "http/client.h"

namespace cloister::client {

class VerifiedConnection {
 public:
  // An Error unless `host` was accepted and, over TLS, its verdict says that the quote binds the key of the connection
  // that the report came through. An empty token is none.
  static Result<VerifiedConnection> make(const NodeAddress& address, const HostCheck& host, std::string bearer_token);

  Result<http::ClientResponse> get(std::string_view path_and_query) const { return client_.get(path_and_query); }
  Result<http::ClientResponse> post_json(std::string_view path, std::string_view body) const {
    return client_.post_json(path, body);
  }
  Result<http::ClientResponse> post_json_streaming(std::string_view path, std::string_view body,
                                                   const std::function<bool(std::string_view)>& on_data) const {
    return client_.post_json_streaming(path, body, on_data);
  }
  const http::Url& url() const { return client_.url(); }

 private:
  explicit VerifiedConnection(http::Client client) : client_(std::move(client)) {}

  http::Client client_;
};

}  // namespace cloister::client
