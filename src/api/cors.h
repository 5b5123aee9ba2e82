// Cross-origin rules for browsers (https://fetch.spec.whatwg.org/#http-cors-protocol). Credentials are never allowed: a
// token travels in a header that the page itself sets.
#pragma once

#include <string>
#include <vector>

#include "http/message.h"

namespace cloister::api {

// A browser sends one line at most: of two, one is somebody else's.
bool has_two_origins(const http::RequestHead& head);

class Cors {
 public:
  // `origins` as given by the operator; "*" allows all. Empty: pages of this machine (localhost, 127.0.0.1, [::1], any
  // port), and a node without tokens should allow no others.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  bool allows(std::string_view origin) const;
  // Adds the headers that let the page read this reply; adds nothing for a request without an allowed origin.
  void decorate(const http::RequestHead& request, http::Headers& reply_headers) const;
  // The answer to a preflight.
  http::Response preflight(const http::RequestHead& request) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace cloister::api
