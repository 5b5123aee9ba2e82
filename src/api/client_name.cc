#include "api/client_name.h"

#include <arpa/inet.h>

#include "base/encoding.h"

namespace cloister::api {

std::string client_name(const Owner& owner, const std::string& peer, bool peer_is_loopback) {
  if (owner != Owner{}) return "token " + to_hex(owner);
  if (peer_is_loopback) return "";
  std::string address = peer.substr(0, peer.rfind(':'));
  if (address.size() > 2 && address.front() == '[') address = address.substr(1, address.size() - 2);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return "address " + address;
  if (IN6_IS_ADDR_V4MAPPED(&v6))
    return "address " + std::to_string(v6.s6_addr[12]) + "." + std::to_string(v6.s6_addr[13]) + "." +
           std::to_string(v6.s6_addr[14]) + "." + std::to_string(v6.s6_addr[15]);
  return "network " + to_hex(ByteView(v6.s6_addr, 8));
}

std::string client_name(const Call& call) {
  const http::Request& request = call.exchange->request();
  return client_name(call.owner(), request.peer, request.peer_is_loopback);
}

}  // namespace cloister::api
