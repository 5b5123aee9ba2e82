// OutgoingConnection: one connection to another server, with or without TLS, and at most one request on it. It tries the server's addresses
// one after the other. Loop thread only; holds no read buffer.
#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/outgoing.h"
#include "http/outgoing_reader.h"
#include "net/loop.h"
#include "net/transport.h"
#include "net/watch.h"

namespace cloister::http {

class OutgoingConnection;

// Where connections wait for their next request.
class OutgoingKeeper {
 public:
  // Called by a connection: it is free again, or it has closed.
  virtual void keep(std::shared_ptr<OutgoingConnection> connection) = 0;
  virtual void remove(OutgoingConnection& connection, bool idle) = 0;

 protected:
  ~OutgoingKeeper() = default;
};

class OutgoingConnection final : public boost::intrusive::list_base_hook<>,
                                 public std::enable_shared_from_this<OutgoingConnection>,
                                 private OutgoingReader::Owner,
                                 private net::Watch::Owner {
 public:
  // Connects with its first request.
  OutgoingConnection(net::Loop& loop, OutgoingKeeper& keeper, std::shared_ptr<const OutgoingTarget> target);
  ~OutgoingConnection() override;

  // Sends a request on a connection that has none. Returns null when it failed at once; the sink has been told.
  std::shared_ptr<OutgoingCall> begin(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink);
  // Called once a second.
  void on_tick();
  // Ends now; a running request fails.
  void close();
  const OutgoingTarget* target() const { return target_.get(); }

 private:
  friend class OutgoingCall;
  enum class Phase : std::uint8_t { kNew, kConnecting, kHandshake, kIdle, kHead, kBody, kClosed };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  void on_ready(bool readable, bool writable) override;
  void on_readable();
  void on_writable();
  // Tries the addresses that are left until one connects or may connect.
  void connect_next();
  bool open_socket(const net::SocketAddress& address);
  void finish_connect();
  void on_connected();
  void shake_hands();
  void begin_sending();
  void send_more();
  void read_available();
  void make_reader();
  void feed(std::string_view bytes);
  void end_of_input();
  void take(OutgoingReader::Event event);
  void complete();
  void fail(OutgoingFailure failure, Error error);
  void fail_early();
  void fail_malformed(const std::string& why);
  // Closes the socket and releases the call; returns the sink to inform.
  std::shared_ptr<OutgoingSink> shut();
  void set_deadline(int seconds_from_now);
  // Something was sent or read.
  void note_progress();
  Error timeout_error() const;

  void on_response_head(OutgoingHead head) override;
  void on_response_body(std::string_view bytes) override;

  net::Loop& loop_;
  OutgoingKeeper& keeper_;
  const std::shared_ptr<const OutgoingTarget> target_;
  std::size_t next_address_ = 0;
  int connect_error_ = 0;  // an errno: why the last address could not be connected to
  std::optional<net::Watch> watch_;
  std::optional<net::Transport> transport_;
  std::optional<ByteArray<32>> spki_sha256_;
  bool leaves_machine_plain_ = false;
  std::shared_ptr<OutgoingConnection> self_;  // set while open
  Phase phase_ = Phase::kNew;
  OutgoingRequest request_;
  std::size_t sent_ = 0;
  std::size_t to_send_ = 0;
  std::optional<OutgoingReader> reader_;
  std::shared_ptr<OutgoingSink> sink_;
  std::shared_ptr<OutgoingCall> call_;
  std::int64_t deadline_s_ = kNever;
  std::int64_t head_by_s_ = kNever;
  int interim_ = 0;
  bool used_before_ = false;
  bool got_bytes_ = false;    // of the current response
  bool cannot_send_ = false;  // the peer takes no more; it may have answered all the same
  bool paused_ = false;
  bool broke_ = false;             // the transport failed, and says why
  bool read_wants_write_ = false;  // TLS only
  bool write_wants_read_ = false;  // TLS only
};

}  // namespace cloister::http
