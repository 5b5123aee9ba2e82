#include "net/address_kind.h"

#include <netinet/in.h>

#include <cstdint>
#include <cstring>

namespace cloister::net {
namespace {

bool is_in(std::uint32_t address, std::uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; }

bool is_loopback_v4(std::uint32_t address) { return is_in(address, 0x7f000000, 8); }

bool is_private_v4(std::uint32_t address) {
  // Loopback, RFC 1918, link-local (RFC 3927), shared address space (RFC 6598).
  return is_loopback_v4(address) || is_in(address, 0x0a000000, 8) || is_in(address, 0xac100000, 12) ||
         is_in(address, 0xc0a80000, 16) || is_in(address, 0xa9fe0000, 16) || is_in(address, 0x64400000, 10);
}

std::uint32_t v4_of(const sockaddr_storage& address) {
  sockaddr_in v4;
  std::memcpy(&v4, &address, sizeof(v4));
  return ntohl(v4.sin_addr.s_addr);
}

in6_addr v6_of(const sockaddr_storage& address) {
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof(v6));
  return v6.sin6_addr;
}

// The last four bytes of a mapped address.
std::uint32_t mapped_v4(const in6_addr& address) {
  const std::uint8_t* const bytes = address.s6_addr + 12;
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

bool is_loopback_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNIX) return true;
  if (address.ss_family == AF_INET) return is_loopback_v4(v4_of(address));
  if (address.ss_family != AF_INET6) return false;
  const in6_addr v6 = v6_of(address);
  return IN6_IS_ADDR_V4MAPPED(&v6) ? is_loopback_v4(mapped_v4(v6)) : IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_private_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return is_private_v4(v4_of(address));
  if (address.ss_family != AF_INET6) return false;
  const in6_addr v6 = v6_of(address);
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return is_private_v4(mapped_v4(v6));
  // ::1, unique local (RFC 4193), link-local.
  return IN6_IS_ADDR_LOOPBACK(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(&v6);
}

}  // namespace cloister::net
