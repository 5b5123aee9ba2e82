#include "net/listening_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include "net/socket_address.h"

namespace cloister::net {
namespace {

constexpr int kBacklog = 4096;

std::optional<SocketAddress> numeric_address(const std::string& text, std::uint16_t port) {
  SocketAddress out;
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out.storage, &v4, out.size = sizeof(v4));
    return out;
  }
  // An IPv6 address may have a zone ("fe80::1%eth0"), which only the resolver reads.
  addrinfo hints{};
  hints.ai_family = AF_INET6;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(text.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return std::nullopt;
  std::memcpy(&out.storage, found->ai_addr, out.size = found->ai_addrlen);
  ::freeaddrinfo(found);
  return out;
}

std::uint16_t port_of(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address.storage, sizeof(v4));
    return ntohs(v4.sin_port);
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, &address.storage, sizeof(v6));
  return ntohs(v6.sin6_port);
}

std::string last_error() { return std::generic_category().message(errno); }

FileDescriptor stream_socket(int family) {
  return FileDescriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof(value));
}

// Linux copies these options to every accepted socket.
void set_inherited_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

// A socket file outlives the program that made it. Only a socket that refuses connections is dead, and only a socket is removed.
Result<void> remove_dead_socket(const std::string& path, const SocketAddress& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(ErrorCode::kAddressInUse, path + " is there, and is no socket");
  const FileDescriptor probe = stream_socket(AF_UNIX);
  if (::connect(probe.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
  return {};
}

}  // namespace

Result<ListeningSocket> listen_tcp(const std::string& address, std::uint16_t port) {
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  const std::string text = bracketed ? address.substr(1, address.size() - 2) : address;
  std::optional<SocketAddress> wanted = numeric_address(text, port);
  if (!wanted) return fail(ErrorCode::kUsage, "expected an IPv4 or IPv6 address to listen on, got \"" + address + "\"");
  const bool v6 = wanted->storage.ss_family == AF_INET6;
  const std::string name = (v6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
  ListeningSocket out{stream_socket(wanted->storage.ss_family)};
  const int socket = out.descriptor.get();
  if (socket < 0) return fail(ErrorCode::kNetwork, "cannot open a socket: " + last_error());
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  set_inherited_options(socket);
  if (::bind(socket, wanted->get(), wanted->size) != 0 || ::listen(socket, kBacklog) != 0) {
    if (errno == EADDRINUSE) return fail(ErrorCode::kAddressInUse, name + " is already in use");
    return fail(ErrorCode::kNetwork, "cannot listen on " + name + ": " + last_error());
  }
  SocketAddress bound;
  bound.size = sizeof(bound.storage);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0)
    return fail(ErrorCode::kNetwork, "cannot find the port of " + name + ": " + last_error());
  out.port = port_of(bound);
  return out;
}

Result<ListeningSocket> listen_unix(const std::string& path) {
  TRY(address, unix_socket_address(path));
  TRY_VOID(remove_dead_socket(path, address));
  ListeningSocket out{stream_socket(AF_UNIX)};
  const int socket = out.descriptor.get();
  if (socket < 0) return fail(ErrorCode::kNetwork, "cannot open a socket: " + last_error());
  if (::bind(socket, address.get(), address.size) != 0) {
    if (errno == EADDRINUSE) return fail(ErrorCode::kAddressInUse, path + " is already in use");
    return fail(ErrorCode::kNetwork, "cannot make the socket " + path + ": " + last_error());
  }
  // Between these two calls nobody can connect, since a socket that does not listen refuses.
  ::chmod(path.c_str(), 0600);
  if (::listen(socket, kBacklog) != 0)
    return fail(ErrorCode::kNetwork, "cannot listen on " + path + ": " + last_error());
  return out;
}

}  // namespace cloister::net
