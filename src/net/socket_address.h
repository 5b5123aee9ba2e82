// SocketAddress: where to connect to, and how names become that.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace cloister::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool operator==(const SocketAddress& other) const;
};

// Blocking: asks the system's resolver for the stream addresses of a host name or of an address as text. At least one, in the resolver's
// order. Error: kNetwork.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port);
// The Unix socket of this path. Error: kUsage for more than the 107 bytes that fit, and for a zero byte.
Result<SocketAddress> unix_socket_address(const std::string& path);

}  // namespace cloister::net
