// A blocking HTTP/1.1 client for the command line: bounded, with time-outs and TLS 1.2+. It follows no redirects, and
// uses no proxy whatever the environment says. Every request has a connection of its own.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "http/client_options.h"
#include "http/url.h"

namespace cloister::http {

class Client {
 public:
  Client(Url url, ClientOptions options) : url_(std::move(url)), options_(std::move(options)) {}
  Result<ClientResponse> get(std::string_view path_and_query) const;
  Result<ClientResponse> post_json(std::string_view path, std::string_view body) const;
  // Like post_json, and passes every piece of the body to `on_data` as it comes. Returning false stops and closes; the
  // response then holds what came so far.
  Result<ClientResponse> post_json_streaming(std::string_view path, std::string_view body,
                                             const std::function<bool(std::string_view)>& on_data) const;
  const Url& url() const { return url_; }

 private:
  Url url_;
  ClientOptions options_;
};

}  // namespace cloister::http
