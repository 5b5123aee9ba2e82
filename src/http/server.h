// HTTP/1.1 server over TCP or TLS 1.3: a few event-loop threads, no thread for each connection, bounded everywhere. It
// knows nothing of models or TEEs.
//
// A client that closes its sending side counts as gone, as with other proxies and servers: a running request is then
// abandoned, so that no model works for nobody. Clients must not half-close before they have their reply.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace cloister::http {

class Loop;

class Exchange;

// Observes the bytes of one reply body exactly as they are handed to the socket (without chunk framing), in order.
// Called on the connection's event loop.
class ReplyObserver {
 public:
  virtual ~ReplyObserver() = default;
  virtual void on_body(std::string_view bytes) = 0;
  // The body is complete; the last bytes (for a buffered reply: all of it, including its head) have been seen but not
  // yet been sent. They are sent now or, after kHold, when Exchange::release() is called. What a client asks after it
  // has the whole reply is ordered after this, and after release().
  enum class End { kSend, kHold };
  virtual End on_complete(const std::shared_ptr<Exchange>& exchange) = 0;
  // Called instead of on_complete() when the reply will not be whole: the connection is gone, or the handler aborted.
  virtual void on_cut() {}
};

// One request and the reply to it. Any thread may call it; calls are handed over to the connection's loop, and bytes
// are coalesced when the socket is behind. Holding an Exchange keeps its memory, not its connection.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  // Moves the body out, so that it need not stay in memory as long as the reply runs; request().body is then empty.
  // Only in Handler::handle(), before the exchange is shared with other threads.
  virtual std::string take_body() { return request().body; }
  // Like take_body(); the bytes count as body bytes in flight as long as somebody holds them.
  virtual std::shared_ptr<const std::string> share_body() { return std::make_shared<const std::string>(take_body()); }
  // Set before respond() or start().
  virtual void set_observer(std::shared_ptr<ReplyObserver> observer) = 0;
  // Called once on the loop if the connection ends before the reply is written (client gone, write stalled, shutdown).
  // Set it before the handler returns; when the connection is already gone, the setter calls it at once. It can come
  // after ReplyObserver::on_complete(), when the client leaves with the last bytes still unsent.
  virtual void on_abandoned(std::function<void()> callback) = 0;
  // Sends a whole reply. Ignored after respond() or start().
  virtual void respond(Response response) = 0;
  // Begins a streamed reply (chunked) with the body of `head`. Then write()..., then finish() or abort().
  virtual void start(Response head) = 0;
  virtual void write(std::string_view bytes) = 0;
  // `last` is sent together with the end.
  virtual void finish(std::string_view last = {}) = 0;
  // Ends without the closing chunk, so that the client can see that the reply is not complete.
  virtual void abort() = 0;
  // Sends what the observer holds back, with further fields: in the head of a buffered reply; for a stream as trailer
  // fields (RFC 9110 section 6.5), which HTTP/1.0 clients do not get. Called once.
  virtual void release(Headers further) { (void)further; }
  // Called instead of release(): what is held back is not sent. `instead` replaces a buffered reply; a stream ends as
  // after abort(). The observer does not see it.
  virtual void withhold(Response instead) { (void)instead; }

  // The loop of the connection, for callers that do more input and output for this request: on the same thread no
  // hand-over is needed. Null where there is none. It lives as long as the exchange has not ended.
  virtual Loop* loop() { return nullptr; }
  // Bytes that wait because the client's socket takes no more for now; 0 while the client keeps up.
  virtual std::size_t behind_bytes() { return 0; }
  // Called on the loop each time the client has caught up after it was behind. Set it before respond() or start().
  virtual void on_caught_up(std::function<void()> callback) { (void)callback; }
};

// What to do with a request once its head is read.
struct Admission {
  std::uint64_t body_limit_bytes = 0;
  // When set: answer this at once, without reading the body.
  std::shared_ptr<const Response> refusal;
  // The client whose body it is, for the share of body bytes in flight.
  std::string client = {};
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Called on the loop, before the body is read.
  virtual Admission admit(const RequestHead& head) = 0;
  // Called on the loop, when the body is complete. Must not block.
  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
  // The reply to what is no acceptable request: 400 malformed, 408 too slow, 413 body too large, 431 header too large,
  // 503 too many connections; also 417, 500, 501 and 505. The path is empty where the target was not read.
  virtual Response protocol_error(int status, std::string_view message, std::string_view path) = 0;
};

struct TlsIdentity {
  std::string certificate_chain_pem;
  std::string private_key_pem;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0 = any free port
  // Listen on a Unix socket of this path instead, mode 0600. A socket that nobody listens on is replaced; stop()
  // removes it. Its clients count as loopback.
  std::string unix_socket = {};
  int threads = 0;  // 0 = one for each four cores, at least one
  std::shared_ptr<const TlsIdentity> tls;
  std::size_t max_connections = 20000;  // fewer where the process may open fewer descriptors
  std::size_t max_connections_of_address =
      0;  // for an IPv4 address or an IPv6 /64; 0 = three quarters of max_connections
  std::size_t header_limit_bytes = 32u << 10;
  int header_timeout_s = 15;     // from the first byte of a request to the end of its head
  int body_idle_timeout_s = 30;  // between two reads of a body
  int body_timeout_s = 60;       // for a whole body, and one second more for each body_bytes_per_s that it may have
  std::uint64_t body_bytes_per_s = 128u << 10;
  // Limits on bodies that are being read, or that a handler still holds; for all clients, and for one.
  std::uint64_t body_bytes_in_flight = 256u << 20;
  std::uint64_t body_bytes_of_client = 64u << 20;
  int keep_alive_timeout_s = 75;                    // idle between requests
  int write_timeout_s = 60;                         // a socket that takes no byte for this long
  std::size_t write_buffer_limit_bytes = 4u << 20;  // a client that is further behind than this is cut off
};

struct ServerStats {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_total = 0;
  std::uint64_t requests_total = 0;
};

class Server {
 public:
  // Binds and starts the threads. The handler must outlive the server.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler& handler);
  virtual ~Server() = default;  // stop() with no grace
  virtual std::uint16_t port() const = 0;
  virtual ServerStats stats() const = 0;
  // Connections that are accepted from now on are shown this certificate; others keep theirs. Any thread. Errors:
  // kBadCertificate, kBadKey; kUsage for a server without TLS. After an error nothing has changed.
  virtual Result<void> set_tls(const TlsIdentity& identity) = 0;
  // Stops accepting, waits at most `grace_s` seconds for running exchanges, closes everything, joins the threads. Called once.
  virtual void stop(int grace_s) = 0;
};

}  // namespace cloister::http
