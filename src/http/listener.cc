#include "http/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <cerrno>
#include <future>
#include <string>

#include "base/file_descriptor.h"
#include "base/log.h"
#include "net/listening_socket.h"

namespace cloister::http {
namespace {

using boost::asio::ip::tcp;

constexpr int kAcceptsInARow = 64;
// Above the limit this many connections may stay in order to be told; further ones are closed without an answer.
constexpr std::size_t kRefusedAtOnce = 256;
constexpr std::size_t kRefusedOfAddress = 8;
// For whom room is made at the same time; what comes on top is refused as if no room could be made.
constexpr std::size_t kNewcomersAtOnce = 64;
// How many addresses are asked for a place: those with the most connections may have none that waits.
constexpr std::size_t kHoldersAsked = 4;
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(ServerShared& shared, const std::vector<ServerLoop*>& loops) {
  auto listener = std::make_unique<Listener>(shared, loops);
  TRY_VOID(listener->bind());
  return listener;
}

Result<void> Listener::bind() {
  const ServerOptions& options = shared_.options;
  TRY(socket, options.unix_socket.empty() ? net::listen_tcp(options.address, options.port)
                                          : net::listen_unix(options.unix_socket));
  port_ = socket.port;
  unix_path_ = options.unix_socket;
  watch_.emplace(events(), socket.descriptor.get(), static_cast<net::Watch::Owner&>(*this));
  socket.descriptor.release();
  return {};
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
