// Requests to other servers, made on the event loop of the connection that they serve: the bytes of a reply go from one
// socket to the other without another thread, and each chunk is copied once. HTTP/1.1 without TLS, for servers on the
// same host or private network. Each loop keeps connections and uses them again.
//
// Loop thread only.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client_options.h"
#include "http/message.h"
#include "http/url.h"

namespace cloister::net {
class Loop;
}

namespace cloister::http {

class OutgoingConnection;

// Where to connect to. Holders of the same object share connections.
struct OutgoingTarget {
  sockaddr_storage address{};
  socklen_t address_size = 0;
};

// Blocking: asks the system's resolver and takes its first address; "localhost" is 127.0.0.1 without asking. Only Unix
// sockets and addresses of the loopback and of private networks are accepted, since what is sent there is not
// encrypted. Errors: kNetwork for an unknown name, kUsage for a public address.
Result<OutgoingTarget> resolve_private(const Url& url);
// "host:port" in the form for a Host header.
std::string authority_of(const Url& url);

struct OutgoingRequest {
  std::shared_ptr<const OutgoingTarget> target;
  std::string head;                                                 // request line and headers with the empty line
  std::array<std::string_view, 3> body;                             // sent one after the other, unchanged
  std::shared_ptr<const void> body_owner;                           // keeps the bytes of `body`
  bool fresh_connection = false;                                    // do not use a kept connection
  bool (*keep_header)(std::string_view lower_case_name) = nullptr;  // headers of the response to keep; null keeps none
  int connect_timeout_s = 5;
  int first_byte_timeout_s = 600;  // from sending to the response's head
  int idle_timeout_s = 300;        // between two reads of its body
};

struct OutgoingHead {
  int status = 0;
  Headers headers;
  std::optional<std::uint64_t> length;  // of the body, where it is announced
  bool ends_with_connection = false;    // the body has no other end, so it cannot be distinguished from a truncated one
};

enum class OutgoingFailure {
  kConnect,  // refused, unreachable
  kConnectTimeout,
  kStale,      // a kept connection ended before the first byte of a response: send the request again
  kClosed,     // ended too early
  kTimeout,    // silent for too long
  kMalformed,  // no valid HTTP/1.1
};

// Receives one response. Exactly one of on_end and on_failed comes last, unless the call is cancelled; each may come
// from inside send(). The bytes live as long as the call.
class OutgoingSink {
 public:
  virtual ~OutgoingSink() = default;
  virtual void on_head(OutgoingHead head) = 0;
  virtual void on_body(std::string_view bytes) = 0;
  virtual void on_end() = 0;
  virtual void on_failed(OutgoingFailure failure) = 0;
};

// A running request. No function has any effect once the request is over.
class OutgoingCall {
 public:
  explicit OutgoingCall(OutgoingConnection& connection) : connection_(&connection) {}
  // Closes the connection; the sink is not called any more.
  void cancel();
  // Stops reading until resume(). What has already been read may still come.
  void pause();
  void resume();

 private:
  friend class OutgoingConnection;
  OutgoingConnection* connection_;
};

// Returns null when it failed at once; the sink has been told.
std::shared_ptr<OutgoingCall> send(net::Loop& loop, OutgoingRequest request, std::shared_ptr<OutgoingSink> sink);

}  // namespace cloister::http
