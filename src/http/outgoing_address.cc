#include <netdb.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "http/outgoing.h"
#include "net/address_kind.h"

namespace cloister::http {
namespace {

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
  // A policy document calls this name the same machine: no hosts file and no name server decides about it (RFC 6761, section 6.3).
  const std::string host = url.host == "localhost" ? "127.0.0.1" : url.host;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
  if (failed != 0 || found == nullptr) {
    return fail(ErrorCode::kNetwork, "cannot resolve the host name " + url.host + ": " + ::gai_strerror(failed));
  }
  OutgoingTarget target;
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.address_size = found->ai_addrlen;
  ::freeaddrinfo(found);
  if (!net::is_private_address(target.address)) {
    return fail(ErrorCode::kUsage, url.host + " is a public address: prompts would cross a public network unencrypted");
  }
  return target;
}

}  // namespace cloister::http
