// Listener: the listening socket, on the first loop; it gives new connections to all loops in turn.
//
// There is one acceptor instead of one for each loop with SO_REUSEPORT. With that option a second program of the same
// user could take the port as well and would silently get half of the connections, and the kernel's hash spreads a few
// long streams unevenly. The price is one hand-over for each connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/loop.h"

namespace cloister::http {

class Listener final : private Watch::Owner {
 public:
  // Binds the socket. `loops` must not be empty, and outlives the listener.
  static Result<std::unique_ptr<Listener>> open(ServerShared& shared, const std::vector<std::unique_ptr<Loop>>& loops);
  Listener(ServerShared& shared, const std::vector<std::unique_ptr<Loop>>& loops) : shared_(shared), loops_(loops) {}

  std::uint16_t port() const { return port_; }
  // Any thread, once the loops run.
  void start();
  // Any thread but a loop's, while the loops run; after it returns no more connections come.
  void close();

 private:
  Result<void> bind();
  Result<int> bind_tcp();
  Result<int> bind_unix();
  EventLoop& events() const { return loops_.front()->events(); }
  void on_ready(bool readable, bool writable) override;
  void accept_waiting();
  void take(int socket, const boost::asio::ip::tcp::endpoint& peer);
  void pause();

  ServerShared& shared_;
  const std::vector<std::unique_ptr<Loop>>& loops_;
  std::optional<Watch> watch_;  // of the listening socket, until close()
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
  std::string unix_path_;   // empty: TCP
};

}  // namespace cloister::http
