#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <future>
#include <string>

#include "base/log.h"

namespace cloister::http {
namespace {

using boost::asio::ip::tcp;
using local = boost::asio::local::stream_protocol;

constexpr int kBacklog = 4096;
constexpr int kAcceptsInARow = 64;
// Above the limit this many may stay to be told so; what comes on top is closed without a word.
constexpr std::size_t kRefusedAtOnce = 256;
constexpr std::size_t kMostSocketPath = 107;   // sun_path less its closing zero
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

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof(value));
}

// Linux hands these on to every accepted socket.
void set_inherited_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

// A socket outlives the program that made it. Only who refuses to be spoken to is dead, and only a socket is removed.
Result<void> remove_dead_socket(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(ErrorCode::kAddressInUse, path + " is there, and is no socket");
  boost::asio::io_context context;
  local::socket probe(context);
  boost::system::error_code error;
  probe.connect(local::endpoint(path), error);
  if (error == boost::asio::error::connection_refused) ::unlink(path.c_str());
  return {};
}

}  // namespace

Listener::Listener(ServerShared& shared, const std::vector<std::unique_ptr<Loop>>& loops)
    : shared_(shared), loops_(loops), acceptor_(loops.front()->context()), pause_timer_(loops.front()->context()) {}

Result<std::unique_ptr<Listener>> Listener::open(ServerShared& shared,
                                                 const std::vector<std::unique_ptr<Loop>>& loops) {
  auto listener = std::make_unique<Listener>(shared, loops);
  TRY_VOID(listener->bind());
  return listener;
}

Result<void> Listener::bind() {
  TRY_VOID(shared_.options.unix_socket.empty() ? bind_tcp() : bind_unix());
  boost::system::error_code ignored;
  acceptor_.native_non_blocking(true, ignored);
  return {};
}

Result<void> Listener::bind_tcp() {
  TRY(endpoint, endpoint_of(shared_.options));
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return fail(ErrorCode::kNetwork, "cannot open a socket: " + error.message());
  acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  set_inherited_options(acceptor_.native_handle());
  acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (error == boost::asio::error::address_in_use) {
    return fail(ErrorCode::kAddressInUse, text_of(endpoint) + " is already in use");
  }
  if (error) return fail(ErrorCode::kNetwork, "cannot listen on " + text_of(endpoint) + ": " + error.message());
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&bound), &size);
  endpoint.resize(size);
  std::memcpy(endpoint.data(), &bound, size);
  port_ = endpoint.port();
  return {};
}

Result<void> Listener::bind_unix() {
  const std::string& path = shared_.options.unix_socket;
  if (path.size() > kMostSocketPath || path.find('\0') != std::string::npos) {
    return fail(ErrorCode::kUsage, "the path of a Unix socket has at most 107 bytes, got " + path);
  }
  TRY_VOID(remove_dead_socket(path));
  const local::endpoint endpoint(path);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return fail(ErrorCode::kNetwork, "cannot open a socket: " + error.message());
  acceptor_.bind(endpoint, error);
  if (error == boost::asio::error::address_in_use) return fail(ErrorCode::kAddressInUse, path + " is already in use");
  if (error) return fail(ErrorCode::kNetwork, "cannot make the socket " + path + ": " + error.message());
  // Between these two nobody gets in: a socket that does not listen refuses.
  ::chmod(path.c_str(), 0600);
  acceptor_.listen(kBacklog, error);
  if (error) return fail(ErrorCode::kNetwork, "cannot listen on " + path + ": " + error.message());
  unix_path_ = path;
  return {};
}

void Listener::start() {
  boost::asio::post(acceptor_.get_executor(), [this] { wait(); });
}

void Listener::close() {
  std::promise<void> closed;
  boost::asio::post(acceptor_.get_executor(), [this, &closed] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
    pause_timer_.cancel();
    closed.set_value();
  });
  closed.get_future().wait();
}

void Listener::wait() {
  acceptor_.async_wait(boost::asio::socket_base::wait_read, [this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) accept_waiting();
  });
}

void Listener::accept_waiting() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    // Who comes over a Unix socket is on this machine, and has no address.
    tcp::endpoint peer(boost::asio::ip::address_v4::loopback(), 0);
    const bool is_tcp = unix_path_.empty();
    socklen_t size = static_cast<socklen_t>(peer.capacity());
    const int socket = ::accept4(acceptor_.native_handle(), is_tcp ? peer.data() : nullptr, is_tcp ? &size : nullptr,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      if (is_tcp) peer.resize(size);
      take(socket, peer);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return pause();
    }
    // Anything else is the trouble of that one connection.
  }
  wait();
}

void Listener::take(int socket, const tcp::endpoint& peer) {
  const std::uint64_t open = shared_.connections_open.load(std::memory_order_relaxed);
  if (open >= shared_.options.max_connections + kRefusedAtOnce) {
    ::close(socket);
    return;
  }
  shared_.connections_open.fetch_add(1, std::memory_order_relaxed);
  shared_.connections_total.fetch_add(1, std::memory_order_relaxed);
  loops_[next_loop_]->adopt(socket, peer, open >= shared_.options.max_connections);
  next_loop_ = (next_loop_ + 1) % loops_.size();
}

// Out of descriptors or memory: waiting connections stay in the backlog instead of turning the loop over and over.
void Listener::pause() {
  log::warn("http: no descriptor or memory for a new connection, accepting pauses");
  pause_timer_.expires_after(kPause);
  pause_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) wait();
  });
}

}  // namespace cloister::http
