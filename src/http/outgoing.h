// Requests to other servers, made on an event loop: with that of the connection that they serve, the bytes of a reply go from one socket to
// the other without another thread, and each chunk is copied once. HTTP/1.1 over TCP, TLS and Unix sockets. Each loop keeps connections and
// uses them again. Nothing blocks the loop: connecting and TLS handshakes have time limits of their own.
//
// Loop thread only, except for what says that it blocks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"
#include "http/url.h"
#include "net/socket_address.h"
#include "net/tls_client.h"

namespace cloister::net {
class Loop;
}

namespace cloister::http {

class OutgoingConnection;

// Where to connect to. Holders of the same object share connections.
struct OutgoingTarget {
  std::string name;                           // "host:port" or the path of a Unix socket; for messages
  std::vector<net::SocketAddress> addresses;  // tried one after the other; at least one
  std::shared_ptr<const net::TlsClient> tls;  // null: not encrypted
};

// Blocking: asks the system's resolver. All addresses that it gives, without TLS. Errors: kNetwork for an unknown name, kUsage for the path of
// a Unix socket that is too long.
Result<OutgoingTarget> resolve_target(const Url& url);
// Blocking: takes the first address; "localhost" is 127.0.0.1 without asking. Only Unix sockets and addresses of the loopback and of private
// networks are accepted, since what is sent there is not encrypted. Errors: as resolve_target(); kUsage for a public address and for https.
Result<OutgoingTarget> resolve_private(const Url& url);
// Blocking: all addresses of an https URL, and what its server has to show. Errors: as resolve_target() and TlsClient::make(); kUsage for
// another URL.
Result<OutgoingTarget> resolve_tls(const Url& url, net::ServerTrust trust);
// "host:port" in the form for a Host header.
std::string authority_of(const Url& url);

struct OutgoingRequest {
  std::shared_ptr<const OutgoingTarget> target;
  std::string head;                        // request line and headers with the empty line
  std::array<std::string_view, 3> body;    // sent one after the other, unchanged
  std::shared_ptr<const void> body_owner;  // keeps the bytes of `body`
  bool fresh_connection = false;           // do not use a kept connection
  bool secret_response = false;            // wipe what the connection itself keeps of the response
  bool (*keep_header)(std::string_view lower_case_name) = nullptr;  // headers of the response to keep; null keeps none
  int connect_timeout_s = 5;       // for all addresses together; a TLS handshake has as long again
  int first_byte_timeout_s = 600;  // from sending to the response's head
  int head_idle_timeout_s = 0;     // until the head is there: between two pieces that are sent or read; 0: no limit
  int idle_timeout_s = 300;        // between two reads of its body
};

struct OutgoingHead {
  int status = 0;
  Headers headers;
  std::optional<std::uint64_t> length;  // of the body, where it is announced
  bool ends_with_connection = false;    // the body has no other end, so it cannot be distinguished from a truncated one
  // The last two members describe the connection.
  std::optional<ByteArray<32>> tls_spki_sha256;  // SHA-256 of the server's SubjectPublicKeyInfo; TLS only
  bool leaves_machine_plain = false;             // no TLS, and the address is not of this machine
};

enum class OutgoingFailure {
  kConnect,  // refused, unreachable
  kConnectTimeout,
  kTls,  // the handshake failed, or the server is not the one that is expected; nothing of the request was sent
  kTlsTimeout,
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
  // The error names the server: kNetwork, kTimeout, kBadCertificate or kBadHttp.
  virtual void on_failed(OutgoingFailure failure, const Error& error) = 0;
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
