#include "http/server_loop.h"

#include <unistd.h>

#include <exception>
#include <memory>
#include <utility>

namespace cloister::http {

void ServerLoop::adopt(int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address, bool refused) {
  loop().run([this, socket, peer, address = std::move(address), refused] {
    std::shared_ptr<Connection> connection;
    try {
      ConnectionHost& self = *this;
      connection = std::make_shared<Connection>(self, socket, peer, address, refused);
    } catch (const std::exception&) {
      // Out of memory or of epoll entries: only this client is affected.
      ::close(socket);
      shared().connections_open.fetch_sub(1, std::memory_order_relaxed);
      shared().addresses.leave(address);
      return;
    }
    connections_.push_back(*connection);
    connection->start();
  });
}

void ServerLoop::remove(Connection& connection) {
  connections_.erase(connections_.iterator_to(connection));
  waiting().leave(connection.address());
  shared().connections_open.fetch_sub(1, std::memory_order_relaxed);
  shared().addresses.leave(connection.address());
  check_drained();
}

void ServerLoop::on_tick() {
  for (auto it = connections_.begin(); it != connections_.end();) {
    Connection& connection = *it++;
    connection.on_tick();
  }
}

void ServerLoop::drain(std::function<void()> drained) {
  loop().run([this, drained = std::move(drained)]() mutable {
    begin_draining();
    drained_ = std::move(drained);
    for (auto it = connections_.begin(); it != connections_.end();) {
      Connection& connection = *it++;
      connection.on_drain();
    }
    check_drained();
  });
}

void ServerLoop::check_drained() {
  if (!drained_ || !connections_.empty()) return;
  std::exchange(drained_, nullptr)();
}

void ServerLoop::on_end() {
  drained_ = nullptr;
  while (!connections_.empty()) connections_.front().on_end();
}

}  // namespace cloister::http
