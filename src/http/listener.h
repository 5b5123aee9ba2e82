// Listener: the listening socket, on the first loop; deals new connections to all loops in turn.
//
// One acceptor rather than one a loop with SO_REUSEPORT: with that option a second program of the same user could take
// the port as well and would silently get half of the connections, and the kernel's hash spreads a few long streams
// unevenly. The price is one hand-over per connection.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/loop.h"

namespace cloister::http {

class Listener {
 public:
  // Binds. `loops` must not be empty, and outlives this.
  static Result<std::unique_ptr<Listener>> open(ServerShared& shared, const std::vector<std::unique_ptr<Loop>>& loops);
  Listener(ServerShared& shared, const std::vector<std::unique_ptr<Loop>>& loops);

  std::uint16_t port() const { return port_; }
  // Any thread, once the loops run.
  void start();
  // Any thread but a loop's; when it returns no more connections come.
  void close();

 private:
  Result<void> bind();
  Result<void> bind_tcp();
  Result<void> bind_unix();
  void wait();
  void accept_waiting();
  void take(int socket, const boost::asio::ip::tcp::endpoint& peer);
  void pause();

  ServerShared& shared_;
  const std::vector<std::unique_ptr<Loop>>& loops_;
  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  boost::asio::steady_timer pause_timer_;
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
  std::string unix_path_;   // empty: TCP
};

}  // namespace cloister::http
