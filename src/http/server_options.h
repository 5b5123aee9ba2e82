// What a server is told: where it listens, and its limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/tls_identity.h"

namespace cloister::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0 = any free port
  // Listen on a Unix socket of this path instead, mode 0600. A socket that nobody listens on is replaced; stop()
  // removes it. Its clients count as loopback.
  std::string unix_socket = {};
  int threads = 0;  // 0 = one for each four cores, at least one
  std::shared_ptr<const net::TlsIdentity> tls;
  std::size_t max_connections = 20000;  // fewer where the process may open fewer descriptors
  std::size_t max_connections_of_address =
      0;  // for an IPv4 address or an IPv6 /64; 0 = three quarters of max_connections
  std::size_t header_limit_bytes = 32u << 10;
  int header_timeout_s = 15;     // from the first byte of a request to the end of its head
  int admission_timeout_s = 10;  // for a handler that decides about a head later
  int body_idle_timeout_s = 30;  // between two reads of a body
  int body_timeout_s = 60;       // for a whole body, and one second more for each body_bytes_per_s that it may have
  std::uint64_t body_bytes_per_s = 128u << 10;
  // Limits on bodies that are being read, or that a handler still holds; for all clients, and for one.
  std::uint64_t body_bytes_in_flight = 256u << 20;
  std::uint64_t body_bytes_of_client = 64u << 20;
  int keep_alive_timeout_s = 75;                    // idle between requests
  int write_timeout_s = 60;                         // a socket that takes no byte for this long
  std::size_t write_buffer_limit_bytes = 4u << 20;  // a client that is further behind than this is cut off
};

}  // namespace cloister::http
