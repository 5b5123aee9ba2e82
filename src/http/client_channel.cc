#include "http/client_channel.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <algorithm>

#include "crypto/hash.h"

namespace cloister::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

bool is_ip_address(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

std::string name_of(const Url& url) {
  if (!url.unix_socket.empty()) return url.unix_socket;
  const bool v6 = url.host.find(':') != std::string::npos;
  return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

std::chrono::steady_clock::time_point deadline_of(const ClientOptions& options) {
  if (options.total_timeout_s <= 0) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::now() + std::chrono::seconds(options.total_timeout_s);
}

std::optional<ByteArray<32>> peer_spki_sha256(SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(ssl), &X509_free);
  if (leaf == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf.get()), &der);
  if (size <= 0) return std::nullopt;
  const ByteArray<32> digest = crypto::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

}  // namespace

ClientChannel::ClientChannel(const Url& url, const ClientOptions& options)
    : url_(url),
      options_(options),
      name_(name_of(url)),
      deadline_(deadline_of(options)),
      tls_(asio::ssl::context::tls_client) {}

ClientChannel::~ClientChannel() = default;

Result<std::unique_ptr<ClientChannel>> ClientChannel::open(const Url& url, const ClientOptions& options) {
  auto channel = std::make_unique<ClientChannel>(url, options);
  TRY_VOID(channel->connect());
  if (url.tls) TRY_VOID(channel->shake_hands());
  return channel;
}

bool ClientChannel::run(int seconds, const bool& done) {
  context_.restart();
  context_.run_until(std::min(std::chrono::steady_clock::now() + std::chrono::seconds(seconds), deadline_));
  if (done) return true;
  error_code ignored;
  (secure_ ? secure_->next_layer() : *plain_).close(ignored);
  context_.restart();
  context_.run();  // the operation ends as cancelled
  return false;
}

Result<std::vector<ClientChannel::Endpoint>> ClientChannel::endpoints() {
  if (!url_.unix_socket.empty()) {
    // sun_path holds 108 bytes with the closing zero; asio throws beyond.
    if (url_.unix_socket.size() > 107 || url_.unix_socket.find('\0') != std::string::npos) {
      return fail(ErrorCode::kUsage, "the path of a Unix socket has at most 107 bytes, got " + url_.unix_socket);
    }
    return std::vector<Endpoint>{asio::local::stream_protocol::endpoint(url_.unix_socket)};
  }
  error_code error;
  asio::ip::tcp::resolver resolver(context_);
  const auto found = resolver.resolve(url_.host, std::to_string(url_.port), asio::ip::resolver_base::numeric_service,
                                      error);
  if (error) return fail(ErrorCode::kNetwork, "cannot resolve the host name " + url_.host + ": " + error.message());
  std::vector<Endpoint> out;
  for (const auto& entry : found) out.emplace_back(entry.endpoint());
  return out;
}

Result<void> ClientChannel::connect() {
  TRY(candidates, endpoints());
  error_code error;
  plain_.emplace(context_);
  bool done = false;
  asio::async_connect(*plain_, candidates, [&](const error_code& result, const Endpoint&) {
    error = result;
    done = true;
  });
  if (!run(options_.connect_timeout_s, done)) {
    return fail(ErrorCode::kTimeout,
                "no connection to " + name_ + " within " + std::to_string(options_.connect_timeout_s) + " s");
  }
  if (error) return fail(ErrorCode::kNetwork, "cannot connect to " + name_ + ": " + error.message());
  if (url_.unix_socket.empty()) plain_->set_option(asio::ip::tcp::no_delay(true), error);
  return {};
}

Result<void> ClientChannel::shake_hands() {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  error_code error;
  if (options_.verify_web_pki) tls_.set_default_verify_paths(error);
  secure_.emplace(std::move(*plain_), tls_);
  plain_.reset();
  SSL* const ssl = secure_->native_handle();
  const bool by_address = is_ip_address(url_.host);
  if (!by_address) SSL_set_tlsext_host_name(ssl, url_.host.c_str());
  if (options_.verify_web_pki) {
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
    const int set = by_address ? X509_VERIFY_PARAM_set1_ip_asc(param, url_.host.c_str())
                               : X509_VERIFY_PARAM_set1_host(param, url_.host.c_str(), url_.host.size());
    if (set != 1) return fail(ErrorCode::kCrypto, "cannot set the host name to verify");
  }
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl, kProtocols, sizeof(kProtocols) - 1);
  bool done = false;
  secure_->async_handshake(asio::ssl::stream_base::client, [&](const error_code& result) {
    error = result;
    done = true;
  });
  if (!run(options_.connect_timeout_s, done)) {
    return fail(ErrorCode::kTimeout, "no TLS handshake with " + name_ + " within " +
                                         std::to_string(options_.connect_timeout_s) + " s");
  }
  if (error) return handshake_error(error);
  spki_ = peer_spki_sha256(ssl);
  return {};
}

Error ClientChannel::handshake_error(const error_code& error) {
  const long verdict = SSL_get_verify_result(secure_->native_handle());
  if (options_.verify_web_pki && verdict != X509_V_OK) {
    return fail(ErrorCode::kBadCertificate, "the TLS certificate of " + name_ + " is not trusted: " +
                                                X509_verify_cert_error_string(verdict));
  }
  return fail(ErrorCode::kNetwork, "the TLS handshake with " + name_ + " failed: " + error.message());
}

Result<std::size_t> ClientChannel::outcome(bool in_time, const error_code& error, std::size_t bytes,
                                           std::string_view what) {
  if (!in_time) {
    if (std::chrono::steady_clock::now() >= deadline_) {
      return fail(ErrorCode::kTimeout,
                  name_ + " did not answer in full within " + std::to_string(options_.total_timeout_s) + " s");
    }
    return fail(ErrorCode::kTimeout,
                name_ + " " + std::string(what) + " nothing for " + std::to_string(options_.idle_timeout_s) + " s");
  }
  if (error == asio::error::eof) return std::size_t{0};
  if (error) return fail(ErrorCode::kNetwork, "the connection to " + name_ + " broke: " + error.message());
  return bytes;
}

Result<void> ClientChannel::write(std::string_view bytes) {
  while (!bytes.empty()) {
    error_code error;
    std::size_t count = 0;
    bool done = false;
    const auto handler = [&](const error_code& result, std::size_t written) {
      error = result;
      count = written;
      done = true;
    };
    if (secure_) {
      secure_->async_write_some(asio::buffer(bytes), handler);
    } else {
      plain_->async_write_some(asio::buffer(bytes), handler);
    }
    const bool in_time = run(options_.idle_timeout_s, done);
    TRY(written, outcome(in_time, error, count, "took"));
    if (written == 0) return fail(ErrorCode::kNetwork, "the connection to " + name_ + " broke");
    bytes.remove_prefix(written);
  }
  return {};
}

Result<std::size_t> ClientChannel::read(std::span<char> into) {
  error_code error;
  std::size_t count = 0;
  bool done = false;
  const auto handler = [&](const error_code& result, std::size_t got) {
    error = result;
    count = got;
    done = true;
  };
  const auto buffer = asio::buffer(into.data(), into.size());
  if (secure_) {
    secure_->async_read_some(buffer, handler);
  } else {
    plain_->async_read_some(buffer, handler);
  }
  const bool in_time = run(options_.idle_timeout_s, done);
  return outcome(in_time, error, count, "sent");
}

}  // namespace cloister::http
