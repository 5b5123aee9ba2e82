// Loop: one event-loop thread and the connections that it owns, from clients and to other servers. Everything about a
// connection happens on its loop.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "http/address_counts.h"
#include "http/body_budget.h"
#include "http/connection.h"
#include "http/event_loop.h"
#include "http/exchange.h"
#include "http/outgoing_pool.h"
#include "http/response_writer.h"
#include "http/server_options.h"
#include "http/tls.h"
#include "http/waiting_connections.h"

namespace cloister::http {

// What all loops of one server share. It outlives them.
struct ServerShared {
  ServerShared(const ServerOptions& server_options, Handler& server_handler)
      : options(server_options),
        handler(server_handler),
        bodies(std::make_shared<BodyBudget>(options.body_bytes_in_flight, options.body_bytes_of_client)) {}
  const ServerOptions options;
  Handler& handler;
  const std::shared_ptr<BodyBudget> bodies;  // shared: bodies outlive the server
  AddressCounts addresses;
  std::atomic<std::shared_ptr<SSL_CTX>> tls;  // of connections from now on; null: plain
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> connections_total{0};
  std::atomic<std::uint64_t> requests_total{0};
};

class Loop {
 public:
  explicit Loop(ServerShared& shared);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start_thread();
  // Any thread while the loop runs. Takes ownership of the socket; `refused` connections get 503 for their first
  // request. `address` has been counted in ServerShared::addresses.
  void adopt(int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address, bool refused);
  // Any thread, once: closes idle connections, lets running exchanges end, then calls `drained` on the loop.
  void drain(std::function<void()> drained);
  // Any thread but the loop's, once, after drain(): closes everything and joins the thread.
  void stop();
  // Any thread while the loop runs: calls node.on_taken() on the loop, soon.
  void deliver(MailboxNode& node) { events_.deliver(node); }
  // Any thread while the loop runs: runs the job on the loop, soon.
  void run(std::function<void()> job) { events_.post(std::move(job)); }
  bool is_here() const { return std::this_thread::get_id() == thread_.get_id(); }

  // Loop thread only, like everything below.
  ServerShared& shared() { return shared_; }
  EventLoop& events() { return events_; }
  bool draining() const { return draining_; }
  // Seconds that advance once a second; for deadlines.
  std::int64_t now_s() const { return now_s_; }
  std::string_view date() { return date_.now(); }
  std::span<char> read_scratch() { return read_scratch_; }
  std::span<char> tls_scratch() { return tls_scratch_; }
  void remove(Connection& connection);
  WaitingConnections& waiting() { return waiting_; }
  OutgoingPool& outgoing() { return outgoing_; }

 private:
  void schedule_tick();
  void tick();
  void close_all();
  void check_drained();

  ServerShared& shared_;
  EventLoop events_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<true>> connections_;
  WaitingConnections waiting_;
  OutgoingPool outgoing_{*this};
  DateCache date_;
  std::int64_t now_s_ = 0;
  bool draining_ = false;
  std::function<void()> drained_;
  // Shared by all connections of the loop: between two events none of them holds a buffer.
  std::array<char, 64u << 10> read_scratch_;
  std::array<char, 16u << 10> tls_scratch_;
  std::thread thread_;
};

}  // namespace cloister::http
