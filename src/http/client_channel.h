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
#include "http/client.h"

namespace cloister::http {

class ClientChannel {
 public:
  // Resolves, connects, shakes hands. Name resolution takes as long as the system lets it.
  static Result<std::unique_ptr<ClientChannel>> open(const Url& url, const ClientOptions& options);
  ClientChannel(const Url& url, const ClientOptions& options);
  ~ClientChannel();

  Result<void> write(std::string_view bytes);
  // 0 at the end of the stream.
  Result<std::size_t> read(std::span<char> into);
  // From now on only the time between two reads is limited.
  void lift_deadline() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  const std::optional<ByteArray<32>>& tls_spki_sha256() const { return spki_; }
  // The bytes leave this machine as they are.
  bool is_unencrypted() const { return unencrypted_; }

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;   // TCP or a Unix socket
  using Endpoint = boost::asio::generic::stream_protocol::endpoint;

  Result<std::vector<Endpoint>> endpoints();
  // Whether bytes without encryption may go to all of these.
  Result<void> check_plain(const std::vector<Endpoint>& candidates) const;
  Result<void> connect();
  Result<void> shake_hands();
  Result<void> prepare_tls();
  // For SSL_CTX_set_cert_verify_callback, with a channel as `self`: the web's trust if it is asked for, and the pin.
  static int verify_chain(X509_STORE_CTX* chain, void* self);
  Error handshake_error(const boost::system::error_code& error);
  // Runs what was started until `done`, or closes the socket when the time is over: false. The time is these seconds, or
  // what is left of the whole exchange's.
  bool run(int seconds, const bool& done);
  Result<std::size_t> outcome(bool in_time, const boost::system::error_code& error, std::size_t bytes,
                              std::string_view what);

  const Url& url_;
  const ClientOptions& options_;
  const std::string name_;   // "host:port" or the path of the socket, for messages
  std::chrono::steady_clock::time_point deadline_;
  boost::asio::io_context context_{1};
  boost::asio::ssl::context tls_;
  std::optional<Socket> plain_;
  std::optional<boost::asio::ssl::stream<Socket>> secure_;
  std::optional<ByteArray<32>> spki_;
  bool unencrypted_ = false;
  bool other_key_ = false;   // the handshake ended because the leaf has another key than the pinned one
};

}  // namespace cloister::http
