// Where a node is, and what its user asks of the way to it.
#pragma once

#include "http/client.h"

namespace cloister::client {

struct NodeAddress {
  http::Url url;
  // Whether the web's certificate authorities have to vouch for the node's certificate as well. The TLS key is compared
  // with the quote either way.
  bool verify_web_pki = true;
  // http to another machine, which everyone on the way reads. Without it such a URL is refused before anything is sent.
  bool insecure_http = false;
};

// The settings that every connection to this node has. No token and no pin.
http::ClientOptions connection_options(const NodeAddress& address);

}  // namespace cloister::client
