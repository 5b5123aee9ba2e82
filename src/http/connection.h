// Connection: one client's socket, from accept to close: reads requests, passes them on, writes replies, keeps time.
// Loop thread only. It holds no read buffer while idle or while a reply is streamed.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "http/body_budget.h"
#include "http/connection_host.h"
#include "http/outbox.h"
#include "http/parked_admission.h"
#include "http/response_writer.h"
#include "http/server_exchange.h"
#include "http/waiting_connections.h"
#include "net/transport.h"
#include "net/watch.h"

namespace cloister::http {

class RequestReader;

class Connection final : public boost::intrusive::list_base_hook<>,
                         public std::enable_shared_from_this<Connection>,
                         private net::Watch::Owner,
                         private WaitingConnection,
                         private Parking,
                         private ParkedAdmission::Owner,
                         private ServerExchange::Owner,
                         private net::EventLoop::Turn {
 public:
  // Takes ownership of the socket. A `refused` connection gets 503 for its first request.
  Connection(ConnectionHost& host, int socket, const boost::asio::ip::tcp::endpoint& peer, std::string address,
             bool refused);
  ~Connection();

  void start();
  // The address under which the listener has counted it.
  const std::string& address() const { return address_; }
  // Called once a second.
  void on_tick();
  // The server is about to stop: ends at once when nothing is running, else after the running exchange.
  void on_drain();
  // The loop ends: a request without a reply so far is answered with 503, as far as the socket takes it at once; then close().
  void on_end();
  // Ends now; a running exchange is abandoned.
  void close();

 private:
  enum class Phase : std::uint8_t {
    kHandshake,
    kIdle,  // between requests
    kHead,
    kBody,
    kParked,  // the handler decides later about the head that was read
    kReply,   // from the complete request to the last byte of the reply
    kLinger,  // everything was sent; waiting for the client to close, so that a reset cannot overtake the reply
    kClosed,
  };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  // Sets the phase; between the end of a reply and the next complete request another address may take the place. A
  // decision that comes after kParked is ignored.
  void enter(Phase phase);
  void give_up_place() override { close(); }

  // connection.cc: life and reading
  void on_ready(bool readable, bool writable) override;
  void on_readable();
  void on_writable();
  void continue_handshake();
  void read_available();
  void discard_available();
  // True while what the client sends is kept and not looked at.
  bool reads_ahead() const { return phase_ == Phase::kParked || phase_ == Phase::kReply; }
  bool wants_more() const;
  // True when bytes of the client are kept that process() has not used.
  bool has_ahead() const { return in_used_ < in_.size(); }
  void feed(std::string_view bytes);
  void on_turn() override;
  std::size_t process(std::string_view bytes);
  bool skip_blank_lines(std::string_view bytes, std::size_t& used) const;
  void on_head(bool body_has_begun);
  Resume park() override;
  void on_decided(const Decide& decide) override;
  void on_admission(Admission admission, bool body_has_begun);
  bool charge_body();
  void dispatch();
  void expire();
  void set_deadline(int seconds_from_now);
  // Ends at once with a reset: for clients that do not read.
  void cut();

  // connection_reply.cc: writing
  void on_mail() override;
  void pump();
  bool observe(ReplyObserver& observer);
  void send_pumped();
  void release_held(ServerExchange::Release& release);
  void begin_reply(const Response& head, bool streamed);
  void frame(bool last);
  bool flush();
  void settle();
  void refuse(int status, std::string_view text);
  void answer(const Response& response);
  void say_continue();
  void end_reply();
  void end_aborted();
  void linger(bool complete);
  void resume_ahead();

  ConnectionHost& host_;
  net::Loop& loop_;
  net::Watch watch_;
  net::Transport transport_;
  const std::string peer_;  // "127.0.0.1:53812"
  const std::string address_;
  const bool peer_is_loopback_;
  std::shared_ptr<Connection> self_;  // set while open
  std::unique_ptr<RequestReader> reader_;
  std::shared_ptr<ParkedAdmission> parked_;      // while the handler may decide later
  std::shared_ptr<Admitted> admitted_;           // the handler's word on the request that is being read
  std::shared_ptr<BodyBudget::Hold> body_hold_;  // for the body that is being read
  std::int64_t body_deadline_s_ = kNever;
  std::shared_ptr<ServerExchange> exchange_;
  // Bytes that the reader could not use yet, or that belong to requests sent ahead of the reply.
  std::string in_;
  std::size_t in_used_ = 0;  // of in_, from its beginning
  Outbox out_;
  std::int64_t deadline_s_ = kNever;
  std::int64_t linger_until_s_ = kNever;
  WaitingConnections::Group* group_ = nullptr;  // while open
  bool waits_ = false;                          // in that group's list
  Phase phase_ = Phase::kIdle;
  Framing framing_ = Framing::kLength;
  bool refused_;
  bool processing_ = false;
  bool read_wants_write_ = false;  // TLS only
  bool write_wants_read_ = false;  // TLS only
  // State of the current request and its reply.
  bool keep_alive_ = false;
  bool http10_ = false;
  bool without_body_ = false;
  bool last_ = false;
  bool aborted_ = false;
  bool held_ = false;               // the end of the reply waits for Exchange::release()
  std::unique_ptr<Response> head_;  // of a buffered reply, until it is written
};

}  // namespace cloister::http
