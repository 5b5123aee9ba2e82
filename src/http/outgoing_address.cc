#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "http/outgoing.h"

namespace cloister::http {
namespace {

bool is_private_v4(std::uint32_t address) {
  const auto in = [address](std::uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; };
  // Loopback, RFC 1918, link-local (RFC 3927), shared address space (RFC 6598).
  return in(0x7f000000, 8) || in(0x0a000000, 8) || in(0xac100000, 12) || in(0xc0a80000, 16) || in(0xa9fe0000, 16) ||
         in(0x64400000, 10);
}

std::uint32_t v4_of(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

Result<OutgoingTarget> unix_target(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof(address.sun_path))
    return fail(ErrorCode::kUsage, "the path of a Unix socket has at most 107 bytes, got " + path);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  OutgoingTarget target;
  target.address_size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  std::memcpy(&target.address, &address, target.address_size);
  return target;
}

}  // namespace

bool is_private_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    return is_private_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.ss_family != AF_INET6) return false;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof(v6));
  const std::uint8_t* const bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return is_private_v4(v4_of(bytes + 12));
  // ::1, unique local (RFC 4193), link-local.
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || (bytes[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

std::string authority_of(const Url& url) {
  return (url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

Result<OutgoingTarget> resolve_private(const Url& url) {
  if (!url.unix_socket.empty()) return unix_target(url.unix_socket);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (failed != 0 || found == nullptr) {
    return fail(ErrorCode::kNetwork, "cannot resolve the host name " + url.host + ": " + ::gai_strerror(failed));
  }
  OutgoingTarget target;
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.address_size = found->ai_addrlen;
  ::freeaddrinfo(found);
  if (!is_private_address(target.address)) {
    return fail(ErrorCode::kUsage, url.host + " is a public address: prompts would cross a public network unencrypted");
  }
  return target;
}

}  // namespace cloister::http
