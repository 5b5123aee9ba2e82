// ListeningSocket: a socket that accepts connections, of TCP or a Unix socket.
#pragma once

#include <cstdint>
#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace cloister::net {

// Not blocking. The sockets that are accepted from a TCP one send at once (TCP_NODELAY) and notice a peer that is gone (SO_KEEPALIVE).
struct ListeningSocket {
  FileDescriptor descriptor;
  std::uint16_t port = 0;  // of TCP
};

// `address` is an IPv4 or IPv6 address, also in brackets; port 0 means any free port. Errors: kUsage for other text, kAddressInUse, kNetwork.
Result<ListeningSocket> listen_tcp(const std::string& address, std::uint16_t port);
// The socket's file has mode 0600. A socket that nobody listens on is replaced; the caller removes the file at the end. Errors: kUsage for a path
// of more than 107 bytes, kAddressInUse for a live socket and for a file that is no socket, kNetwork.
Result<ListeningSocket> listen_unix(const std::string& path);

}  // namespace cloister::net
