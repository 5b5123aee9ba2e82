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
  // How long a report, a signature, a receipt or a list may take from connecting to its last byte, however small the
  // pieces are that come.
  int answer_timeout_s = 60;
  // How long a reply may take: whole, or streamed until it begins and between two pieces of it.
  int reply_timeout_s = 600;
};

// The settings that every connection to this node has: for answers about evidence. No token and no pin.
http::ClientOptions connection_options(const NodeAddress& address);

}  // namespace cloister::client
