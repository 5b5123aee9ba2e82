// Where a node is, and what its user demands of the connection to it.
#pragma once

#include "http/client.h"

namespace cloister::client {

struct NodeAddress {
  http::Url url;
  // True when the web's certificate authorities have to vouch for the node's certificate as well. The TLS key is
  // compared with the quote in any case.
  bool verify_web_pki = true;
  // Allows http to another machine, which everyone on the way can read. Without it such a URL is refused before anything is sent.
  bool insecure_http = false;
  // How long a report, a signature, a receipt or a list may take from connecting to its last byte, however small the
  // pieces are that arrive.
  int answer_timeout_s = 60;
  // How long a reply may take: a buffered one as a whole; a streamed one until it begins and between two pieces.
  int reply_timeout_s = 600;
};

// The settings of every connection to this node, for answers about evidence. They hold no token and no pin.
http::ClientOptions connection_options(const NodeAddress& address);

}  // namespace cloister::client
