// ServerLoop: the connections of one server that live on one loop.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <string>

#include "http/connection.h"
#include "http/connection_host.h"
#include "net/loop.h"

namespace cloister::http {

class ServerLoop final : public net::LoopGuest, private ConnectionHost {
 public:
  ServerLoop(net::Loop& loop, ServerShared& shared) : ConnectionHost(loop, shared) {}

  using ConnectionHost::loop;
  using ConnectionHost::waiting;
  // Any thread while the loop runs. Takes ownership of the socket; `refused` connections get 503 for their first
  // request. `address` has been counted in ServerShared::addresses.
  void adopt(int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address, bool refused);
  // Any thread, once: closes idle connections, lets running exchanges end, then calls `drained` on the loop.
  void drain(std::function<void()> drained);

  void on_tick() override;
  void on_end() override;

 private:
  void remove(Connection& connection) override;
  void check_drained();

  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<true>> connections_;
  std::function<void()> drained_;
};

}  // namespace cloister::http
