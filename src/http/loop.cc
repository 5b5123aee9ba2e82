#include "http/loop.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace cloister::http {
namespace {

// OpenSSL writes to sockets without MSG_NOSIGNAL, and signals for the program are for the main thread.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::int64_t steady_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Loop::Loop(ServerShared& shared) : shared_(shared), now_s_(steady_seconds()) {}

Loop::~Loop() {
  if (thread_.joinable()) stop();
}

void Loop::start_thread() {
  schedule_tick();
  thread_ = std::thread([this] {
    block_signals();
    events_.run();
  });
}

void Loop::adopt(int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address, bool refused) {
  events_.post([this, socket, peer, address = std::move(address), refused] {
    std::shared_ptr<Connection> connection;
    try {
      connection = std::make_shared<Connection>(*this, socket, peer, address, refused);
    } catch (const std::exception&) {
      // Out of memory or of epoll entries: only this client is affected.
      ::close(socket);
      shared_.connections_open.fetch_sub(1, std::memory_order_relaxed);
      shared_.addresses.leave(address);
      return;
    }
    connections_.push_back(*connection);
    connection->start();
  });
}

void Loop::remove(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  waiting_.leave(connection.address());
  shared_.connections_open.fetch_sub(1, std::memory_order_relaxed);
  shared_.addresses.leave(connection.address());
  check_drained();
}

void run_on_loop(Loop& loop, std::function<void()> job) { loop.run(std::move(job)); }
bool on_loop(Loop& loop) { return loop.is_here(); }

void Loop::schedule_tick() {
  events_.at(EventLoop::Clock::now() + std::chrono::seconds(1), [this] { tick(); });
}

// One sweep a second over all deadlines costs less than a timer for each connection.
void Loop::tick() {
  now_s_ = steady_seconds();
  for (auto it = connections_.begin(); it != connections_.end();) {
    Connection& connection = *it++;
    connection.on_tick();
  }
  outgoing_.tick();
  schedule_tick();
}

void Loop::drain(std::function<void()> drained) {
  events_.post([this, drained = std::move(drained)]() mutable {
    draining_ = true;
    drained_ = std::move(drained);
    for (auto it = connections_.begin(); it != connections_.end();) {
      Connection& connection = *it++;
      connection.on_drain();
    }
    check_drained();
  });
}

void Loop::check_drained() {
  if (!drained_ || !connections_.empty()) return;
  std::exchange(drained_, nullptr)();
}

void Loop::close_all() {
  while (!connections_.empty()) connections_.front().close();
}

void Loop::stop() {
  events_.post([this] {
    drained_ = nullptr;
    close_all();
    outgoing_.close_all();
    events_.stop();
  });
  thread_.join();
}

}  // namespace cloister::http
