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

#include "base/file_descriptor.h"
#include "base/result.h"
#include "http/server_loop.h"
#include "http/server_shared.h"
#include "net/watch.h"

namespace cloister::http {

class Listener final : private net::Watch::Owner {
 public:
  // Binds the socket. `loops` must not be empty, and outlives the listener.
  static Result<std::unique_ptr<Listener>> open(ServerShared& shared, const std::vector<ServerLoop*>& loops);
  Listener(ServerShared& shared, const std::vector<ServerLoop*>& loops) : shared_(shared), loops_(loops) {}

  std::uint16_t port() const { return port_; }
  // Any thread, once the loops run.
  void start();
  // Any thread but a loop's, while the loops run; after it returns no more connections come.
  void close();

 private:
  Result<void> bind();
  net::EventLoop& events() const { return loops_.front()->loop().events(); }
  void on_ready(bool readable, bool writable) override;
  void accept_waiting();
  void take(int socket, const boost::asio::ip::tcp::endpoint& peer);
  void pause();

  // A connection that came when there was no place left, from an address that has fewer than others.
  struct Newcomer {
    FileDescriptor socket;
    boost::asio::ip::tcp::endpoint peer;
    std::string address;
    std::vector<std::string> holders;  // who has more, the most first
    std::size_t first_loop = 0;
    std::size_t asked = 0;  // of the loops, for each holder in turn
  };
  // Asks the loops, one after the other, to close a connection that waits for its next request. The newcomer is refused where none does.
  void make_room(std::shared_ptr<Newcomer> newcomer);
  void on_asked(std::shared_ptr<Newcomer> newcomer, bool closed);
  void hand_over(int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address, bool refused);

  ServerShared& shared_;
  const std::vector<ServerLoop*>& loops_;
  std::optional<net::Watch> watch_;  // of the listening socket, until close()
  std::size_t next_loop_ = 0;
  std::size_t newcomers_ = 0;  // on their way between the loops
  bool closed_ = false;
  std::uint16_t port_ = 0;
  std::string unix_path_;  // empty: TCP
};

}  // namespace cloister::http
