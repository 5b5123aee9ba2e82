// Where a socket's address leads: into this machine, into a private network, or elsewhere.
//
// These functions decide about the address that a connection is made to, and never about a name: a name like
// "localhost.example" may stand for any address, and for another one at the next lookup.
#pragma once

#include <sys/socket.h>

namespace cloister::net {

// 127.0.0.0/8, ::1, the first of these mapped into IPv6, and Unix sockets: the bytes do not leave this machine.
bool is_loopback_address(const sockaddr_storage& address);
// The loopback and private networks: RFC 1918, RFC 4193, RFC 6598 and link-local addresses. No Unix socket.
bool is_private_address(const sockaddr_storage& address);

}  // namespace cloister::net
