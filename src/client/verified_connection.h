// VerifiedConnection: the only way by which content leaves a client. Prompts, the bearer token and all questions about
// replies go through it and through nothing else (docs/threat-model.md, "What leaves a client").
//
// Every request has a TCP connection of its own, and the TLS key that the node's report binds is compared in each
// handshake: a server that shows another key gets no byte of a request. Without TLS there is no key to compare: then
// the node has to be on this machine, or its user has asked for http to another machine, to which no token is sent.
//
// Any thread; every request blocks.
#pragma once

#include <cstdint>
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
  // that the report came through. An empty token means none.
  static Result<VerifiedConnection> make(const NodeAddress& address, const HostCheck& host, std::string bearer_token);

  // Asks about replies; an answer of more than `most_bytes` is an Error.
  Result<http::ClientResponse> get(std::string_view path_and_query, std::uint64_t most_bytes) const;
  // Sends a prompt and returns its reply in one piece of at most `most_bytes`.
  Result<http::ClientResponse> post_json(std::string_view path, std::string_view body, std::uint64_t most_bytes) const;
  Result<http::ClientResponse> post_json_streaming(std::string_view path, std::string_view body,
                                                   const std::function<bool(std::string_view)>& on_data) const;
  const http::Url& url() const { return url_; }

 private:
  VerifiedConnection(http::Url url, http::ClientOptions options, int reply_timeout_s)
      : url_(std::move(url)), options_(std::move(options)), reply_timeout_s_(reply_timeout_s) {}
  http::ClientOptions reply_options() const;

  http::Url url_;
  http::ClientOptions options_;
  int reply_timeout_s_;
};

}  // namespace cloister::client
