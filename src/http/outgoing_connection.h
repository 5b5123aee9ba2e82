// OutgoingConnection: one socket to another server and at most one request on it. Loop thread only; holds no read buffer.
#pragma once

#include <boost/intrusive/list_hook.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
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
  // Takes ownership of a socket that is connecting or already connected.
  OutgoingConnection(net::Loop& loop, OutgoingKeeper& keeper, std::shared_ptr<const OutgoingTarget> target, int socket,
                     bool connected);
  ~OutgoingConnection() override;

  // Sends a request on a connection that has none.
  std::shared_ptr<OutgoingCall> begin(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink);
  // Called once a second.
  void on_tick();
  // Ends now; a running request fails.
  void close();
  const OutgoingTarget* target() const { return target_.get(); }

 private:
  friend class OutgoingCall;
  enum class Phase : std::uint8_t { kConnecting, kIdle, kHead, kBody, kClosed };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  void on_ready(bool readable, bool writable) override;
  void on_readable();
  void on_writable();
  void finish_connect();
  void send_more();
  void read_available();
  void feed(std::string_view bytes);
  void end_of_input();
  void take(OutgoingReader::Event event);
  void complete();
  void fail(OutgoingFailure failure);
  // Closes the socket and releases the call; returns the sink to inform.
  std::shared_ptr<OutgoingSink> shut();
  void set_deadline(int seconds_from_now);
  OutgoingFailure early_end() const;

  void on_response_head(OutgoingHead head) override;
  void on_response_body(std::string_view bytes) override;

  net::Loop& loop_;
  OutgoingKeeper& keeper_;
  const std::shared_ptr<const OutgoingTarget> target_;
  net::Watch watch_;
  net::Transport transport_;
  std::shared_ptr<OutgoingConnection> self_;  // set while open
  Phase phase_;
  OutgoingRequest request_;
  std::size_t sent_ = 0;
  std::size_t to_send_ = 0;
  std::optional<OutgoingReader> reader_;
  std::shared_ptr<OutgoingSink> sink_;
  std::shared_ptr<OutgoingCall> call_;
  std::int64_t deadline_s_ = kNever;
  int interim_ = 0;
  bool used_before_ = false;
  bool got_bytes_ = false;    // of the current response
  bool cannot_send_ = false;  // the peer takes no more; it may have answered all the same
  bool paused_ = false;
};

}  // namespace cloister::http
