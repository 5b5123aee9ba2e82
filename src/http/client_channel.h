// ClientChannel: a connected byte stream to one server, plain or TLS. Every step blocks its caller up to a time limit.
// One thread at a time.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/client_options.h"
#include "http/url.h"

namespace cloister::http {

class ClientChannel {
 public:
  // Resolves the name, connects and makes the handshake. Name resolution takes as long as the system allows.
  static Result<std::unique_ptr<ClientChannel>> open(const Url& url, const ClientOptions& options);
  ClientChannel(const Url& url, const ClientOptions& options);
  ~ClientChannel();

  Result<void> write(std::string_view bytes);
  // Returns 0 at the end of the stream.
  Result<std::size_t> read(std::span<char> into);
  // From now on only the time between two reads is limited.
  void lift_deadline() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  const std::optional<ByteArray<32>>& tls_spki_sha256() const { return spki_; }
  // True when the bytes leave this machine unencrypted.
  bool is_unencrypted() const { return unencrypted_; }

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;  // TCP or a Unix socket
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;

  Result<std::vector<Endpoint>> endpoints();
  // Checks that bytes without encryption may be sent to all of these.
  Result<void> check_plain(const std::vector<Endpoint>& candidates) const;
  Result<void> connect();
  Result<void> shake_hands();
  Result<void> prepare_tls();
  // For SSL_CTX_set_cert_verify_callback, with a channel as `self`: checks the web's trust if it is asked for, and the pin.
  static int verify_chain(X509_STORE_CTX* chain, void* self);
  Error handshake_error(const boost::system::error_code& error);
  // Runs the started operation until `done`; when the time is over, closes the socket and returns false. The time is
  // these seconds, or the rest of the time for the whole exchange.
  bool run(int seconds, const bool& done);
  Result<std::size_t> outcome(bool in_time, const boost::system::error_code& error, std::size_t bytes,
                              std::string_view what);

  const Url& url_;
  const ClientOptions& options_;
  const std::string name_;  // "host:port" or the path of the socket, for messages
  std::chrono::steady_clock::time_point deadline_;
  boost::asio::io_context context_{1};
  boost::asio::ssl::context tls_;
  std::optional<Socket> plain_;
  std::optional<boost::asio::ssl::stream<Socket>> secure_;
  std::optional<ByteArray<32>> spki_;
  bool unencrypted_ = false;
  bool other_key_ = false;  // the handshake ended because the leaf does not have the pinned key
};

}  // namespace cloister::http
