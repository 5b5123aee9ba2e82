#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <future>
#include <string>
#include <system_error>

#include "base/file_descriptor.h"
#include "base/log.h"

namespace cloister::http {
namespace {

using boost::asio::ip::tcp;

constexpr int kBacklog = 4096;
constexpr int kAcceptsInARow = 64;
// Above the limit this many connections may stay in order to be told; further ones are closed without an answer.
constexpr std::size_t kRefusedAtOnce = 256;
constexpr std::size_t kRefusedOfAddress = 8;
// For whom room is made at the same time; what comes on top is refused as if no room could be made.
constexpr std::size_t kNewcomersAtOnce = 64;
// How many addresses are asked for a place: those with the most connections may have none that waits.
constexpr std::size_t kHoldersAsked = 4;
constexpr std::size_t kMostSocketPath = 107;  // sun_path less its closing zero
constexpr auto kPause = std::chrono::milliseconds(100);

Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
  std::string text = options.address;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) {
    return fail(ErrorCode::kUsage, "expected an IPv4 or IPv6 address to listen on, got \"" + options.address + "\"");
  }
  return tcp::endpoint(address, options.port);
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

std::string last_error() { return std::generic_category().message(errno); }

int stream_socket(int family) { return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// `path` is known to fit.
sockaddr_un unix_address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  path.copy(out.sun_path, kMostSocketPath);
  return out;
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
Result<void> remove_dead_socket(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(ErrorCode::kAddressInUse, path + " is there, and is no socket");
  const FileDescriptor probe(stream_socket(AF_UNIX));
  const sockaddr_un address = unix_address(path);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(ServerShared& shared, const std::vector<ServerLoop*>& loops) {
  auto listener = std::make_unique<Listener>(shared, loops);
  TRY_VOID(listener->bind());
  return listener;
}

Result<void> Listener::bind() {
  TRY(socket, shared_.options.unix_socket.empty() ? bind_tcp() : bind_unix());
  watch_.emplace(events(), socket, static_cast<net::Watch::Owner&>(*this));
  return {};
}

Result<int> Listener::bind_tcp() {
  TRY(endpoint, endpoint_of(shared_.options));
  FileDescriptor socket(stream_socket(endpoint.protocol().family()));
  if (socket.get() < 0) return fail(ErrorCode::kNetwork, "cannot open a socket: " + last_error());
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_inherited_options(socket.get());
  if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) return fail(ErrorCode::kAddressInUse, text_of(endpoint) + " is already in use");
    return fail(ErrorCode::kNetwork, "cannot listen on " + text_of(endpoint) + ": " + last_error());
  }
  socklen_t size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(socket.get(), endpoint.data(), &size) == 0) endpoint.resize(size);
  port_ = endpoint.port();
  return socket.release();
}

Result<int> Listener::bind_unix() {
  const std::string& path = shared_.options.unix_socket;
  if (path.size() > kMostSocketPath || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::kUsage, "the path of a Unix socket has at most 107 bytes, got " + path);
  }
  TRY_VOID(remove_dead_socket(path));
  FileDescriptor socket(stream_socket(AF_UNIX));
  if (socket.get() < 0) return fail(ErrorCode::kNetwork, "cannot open a socket: " + last_error());
  const sockaddr_un address = unix_address(path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == EADDRINUSE) return fail(ErrorCode::kAddressInUse, path + " is already in use");
    return fail(ErrorCode::kNetwork, "cannot make the socket " + path + ": " + last_error());
  }
  // Between these two calls nobody can connect, since a socket that does not listen refuses.
  ::chmod(path.c_str(), 0600);
  if (::listen(socket.get(), kBacklog) != 0)
    return fail(ErrorCode::kNetwork, "cannot listen on " + path + ": " + last_error());
  unix_path_ = path;
  return socket.release();
}

void Listener::start() {
  events().post([this] { watch_->want_read(); });
}

void Listener::close() {
  std::promise<void> closed;
  events().post([this, &closed] {
    watch_->close();
    closed_ = true;
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
    closed.set_value();
  });
  closed.get_future().wait();
}

void Listener::on_ready(bool, bool) { accept_waiting(); }

void Listener::accept_waiting() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    // A client on a Unix socket is on this machine, and has no address.
    tcp::endpoint peer(boost::asio::ip::address_v4::loopback(), 0);
    const bool is_tcp = unix_path_.empty();
    socklen_t size = static_cast<socklen_t>(peer.capacity());
    const int socket = ::accept4(watch_->descriptor(), is_tcp ? peer.data() : nullptr, is_tcp ? &size : nullptr,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      if (is_tcp) peer.resize(size);
      take(socket, peer);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause();
    }
    // Any other error concerns that one connection.
  }
  watch_->want_read();
}

void Listener::take(int socket, const tcp::endpoint& peer) {
  const std::uint64_t open = shared_.connections_open.load(std::memory_order_relaxed);
  const std::size_t most = shared_.options.max_connections;
  // A Unix socket has no addresses: its file's mode says who may come.
  std::string address = unix_path_.empty() ? AddressCounts::key_of(peer) : std::string();
  const std::size_t of_address = shared_.addresses.enter(address);
  const std::size_t share = unix_path_.empty() ? shared_.options.max_connections_of_address : most;
  std::vector<std::string> holders;
  // After the exchange the address has at most as many as the other: two of them cannot take one place from each other for ever.
  if (open >= most && of_address <= share && newcomers_ < kNewcomersAtOnce)
    holders = shared_.addresses.holders_above(of_address, kHoldersAsked);
  const bool too_many = open >= most + std::min(kRefusedAtOnce, most / 8 + 1) && holders.empty();
  if (too_many || of_address > share + std::min(kRefusedOfAddress, share)) {
    shared_.addresses.leave(address);
    ::close(socket);
    return;
  }
  shared_.connections_open.fetch_add(1, std::memory_order_relaxed);
  shared_.connections_total.fetch_add(1, std::memory_order_relaxed);
  if (holders.empty()) return hand_over(socket, peer, std::move(address), open >= most || of_address > share);
  ++newcomers_;
  make_room(std::make_shared<Newcomer>(
      Newcomer{FileDescriptor(socket), peer, std::move(address), std::move(holders), next_loop_}));
}

void Listener::hand_over(int socket, const tcp::endpoint& peer, std::string address, bool refused) {
  loops_[next_loop_]->adopt(socket, peer, std::move(address), refused);
  next_loop_ = (next_loop_ + 1) % loops_.size();
}

void Listener::make_room(std::shared_ptr<Newcomer> newcomer) {
  const std::string& holder = newcomer->holders[newcomer->asked / loops_.size()];
  ServerLoop& loop = *loops_[(newcomer->first_loop + newcomer->asked) % loops_.size()];
  loop.loop().run([this, &loop, holder, newcomer] {
    const bool closed = loop.waiting().close_oldest(holder);
    events().post([this, newcomer, closed] { on_asked(newcomer, closed); });
  });
}

void Listener::on_asked(std::shared_ptr<Newcomer> newcomer, bool closed) {
  if (closed_) {
    // The loops are told to end, and may not wait for a connection that comes after that.
    --newcomers_;
    shared_.connections_open.fetch_sub(1, std::memory_order_relaxed);
    shared_.addresses.leave(newcomer->address);
    return;
  }
  if (!closed && ++newcomer->asked < loops_.size() * newcomer->holders.size()) return make_room(std::move(newcomer));
  --newcomers_;
  hand_over(newcomer->socket.release(), newcomer->peer, std::move(newcomer->address), !closed);
}

// Out of descriptors or memory: waiting connections stay in the backlog instead of turning the loop over and over.
void Listener::pause() {
  log::warn("http: no descriptor or memory for a new connection, accepting pauses");
  events().at(net::EventLoop::Clock::now() + kPause, [this] { watch_->want_read(); });
}

}  // namespace cloister::http
