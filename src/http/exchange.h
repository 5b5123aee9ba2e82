// Exchange: one request of a client and the reply to it, between the server and whoever answers.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/admission.h"
#include "http/message.h"

namespace cloister::net {
class Loop;
}

namespace cloister::http {

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
// are coalesced when the socket is behind. Holding an Exchange keeps its memory, not its connection. No function has a
// default: one that a wrapper forgot to pass on would leave a client waiting for ever.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  // What the handler gave with the Admission of this request; null where it gave nothing. Lives as long as the exchange.
  virtual Admitted* admitted() = 0;
  // Moves the body out, so that it need not stay in memory as long as the reply runs; request().body is then empty.
  // Only in Handler::handle(), before the exchange is shared with other threads.
  virtual std::string take_body() = 0;
  // Like take_body(); the bytes count as body bytes in flight as long as somebody holds them.
  virtual std::shared_ptr<const std::string> share_body() = 0;
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
  virtual void release(Headers further) = 0;
  // Called instead of release(): what is held back is not sent. `instead` replaces a buffered reply; a stream ends as
  // after abort(). The observer does not see it.
  virtual void withhold(Response instead) = 0;

  // The loop of the connection, for callers that do more input and output for this request: on the same thread no
  // hand-over is needed. Null where there is none. It lives as long as the exchange has not ended.
  virtual net::Loop* loop() = 0;
  // Bytes that wait because the client's socket takes no more for now; 0 while the client keeps up.
  virtual std::size_t behind_bytes() = 0;
  // Called on the loop each time the client has caught up after it was behind. Set it before respond() or start().
  virtual void on_caught_up(std::function<void()> callback) = 0;
  // Runs the job on the loop, soon, unless the exchange has ended by then.
  virtual void post(std::function<void()> job) = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Called on the loop, before the body is read. Must not block. A handler that cannot decide yet takes parking.park()
  // and returns nothing.
  virtual std::optional<Admission> admit(const RequestHead& head, Parking& parking) = 0;
  // Called on the loop, when the body is complete. Must not block.
  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
  // The reply to what is no acceptable request: 400 malformed, 408 too slow, 413 body too large, 431 header too large,
  // 503 too many connections or no admission in time; also 417, 500, 501 and 505. The path is empty where the target was not read.
  virtual Response protocol_error(int status, std::string_view message, std::string_view path) = 0;
};

}  // namespace cloister::http
