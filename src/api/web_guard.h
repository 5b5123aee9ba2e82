// WebGuard: keeps web pages away from a node that asks for no token. Whoever reaches such a node may use it, and a
// browser on its machine reaches it for every page that the browser shows: by a simple cross-site request, or by a name
// of the page's own that suddenly resolves to this machine (DNS rebinding). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cors.h"
#include "api/refusal.h"
#include "http/message.h"

namespace cloister::api {

class WebGuard {
 public:
  struct Options {
    bool tokens = false;             // callers need a token, so a page would need one too: nothing is refused here
    bool loopback = false;           // the node listens on the loopback alone, so its names are known
    std::vector<std::string> hosts;  // further names that callers may use, in lower case; "*" for any
  };
  // `cors` outlives this object.
  WebGuard(const Cors& cors, Options options) : cors_(cors), options_(std::move(options)) {}

  // 400 for two lines Origin, 421 for a Host that is no name of the loopback (RFC 9110 section 15.5.20), 403 for an Origin that is neither the
  // node's own nor allowed, when the request changes or costs something. Absent for a request that may continue.
  std::optional<Refusal> refusal(const http::RequestHead& head) const;

 private:
  bool is_own_host(std::string_view host, const http::RequestHead& head) const;

  const Cors& cors_;
  const Options options_;
};

}  // namespace cloister::api
