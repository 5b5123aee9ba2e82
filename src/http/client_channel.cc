#include "http/client_channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cstring>

#include "crypto/hash.h"
#include "net/address_kind.h"

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
  return std::chrono::steady_clock::now() + std::chrono::seconds(options.total_timeout_s);
}

std::optional<ByteArray<32>> spki_sha256_of(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return std::nullopt;
  const ByteArray<32> digest = crypto::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

std::optional<ByteArray<32>> peer_spki_sha256(SSL* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(SSL_get1_peer_certificate(ssl), &X509_free);
  return spki_sha256_of(leaf.get());
}

sockaddr_storage storage_of(const asio::generic::stream_protocol::endpoint& endpoint) {
  sockaddr_storage out{};
  std::memcpy(&out, endpoint.data(), std::min(endpoint.size(), sizeof(out)));
  return out;
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
    // sun_path holds 108 bytes including the closing zero; asio throws beyond that.
    if (url_.unix_socket.size() > 107 || url_.unix_socket.find('\0') != std::string::npos) {
      return fail(ErrorCode::kUsage, "the path of a Unix socket has at most 107 bytes, got " + url_.unix_socket);
    }
    return std::vector<Endpoint>{asio::local::stream_protocol::endpoint(url_.unix_socket)};
  }
  error_code error;
  asio::ip::tcp::resolver resolver(context_);
  const auto found =
      resolver.resolve(url_.host, std::to_string(url_.port), asio::ip::resolver_base::numeric_service, error);
  if (error) return fail(ErrorCode::kNetwork, "cannot resolve the host name " + url_.host + ": " + error.message());
  std::vector<Endpoint> out;
  for (const auto& entry : found) out.emplace_back(entry.endpoint());
  return out;
}

Result<void> ClientChannel::check_plain(const std::vector<Endpoint>& candidates) const {
  if (options_.pinned_spki_sha256) {
    return fail(ErrorCode::kUsage, "a TLS key is expected of " + name_ + ", and the URL is not https");
  }
  for (const Endpoint& endpoint : candidates) {
    const sockaddr_storage address = storage_of(endpoint);
    if (net::is_loopback_address(address)) continue;
    const bool is_private = net::is_private_address(address);
    if (options_.plain_http == PlainHttp::kThisMachine ||
        (options_.plain_http == PlainHttp::kPrivateNetwork && !is_private)) {
      return fail(ErrorCode::kUsage, name_ +
                                         " is another machine, and http is not encrypted: everyone on the way could "
                                         "read what is sent and what comes back; expected https");
    }
    if (options_.plain_http == PlainHttp::kAnywhere && !options_.bearer_token.empty()) {
      return fail(ErrorCode::kUsage,
                  name_ + " is another machine, and a bearer token is not sent to another machine over http");
    }
  }
  return {};
}

Result<void> ClientChannel::connect() {
  TRY(candidates, endpoints());
  if (!url_.tls) TRY_VOID(check_plain(candidates));
  error_code error;
  plain_.emplace(context_);
  bool done = false;
  asio::async_connect(*plain_, candidates, [&](const error_code& result, const Endpoint& connected) {
    error = result;
    unencrypted_ = !url_.tls && !net::is_loopback_address(storage_of(connected));
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

// Runs when the server's Certificate message is read: before the handshake is over, so before anything is written to a
// server that is refused here. The rest of the handshake shows whether the server has the private key.
int ClientChannel::verify_chain(X509_STORE_CTX* chain, void* self) {
  auto& channel = *static_cast<ClientChannel*>(self);
  if (channel.options_.verify_web_pki && X509_verify_cert(chain) != 1) return 0;
  const auto& pinned = channel.options_.pinned_spki_sha256;
  if (!pinned || spki_sha256_of(X509_STORE_CTX_get0_cert(chain)) == pinned) {
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
  }
  channel.other_key_ = true;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Result<void> ClientChannel::prepare_tls() {
  SSL_CTX* const context = tls_.native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // A second handshake could show another key.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &ClientChannel::verify_chain, this);
  error_code ignored;
  if (options_.verify_web_pki) tls_.set_default_verify_paths(ignored);
  secure_.emplace(std::move(*plain_), tls_);
  plain_.reset();
  SSL* const ssl = secure_->native_handle();
  const bool by_address = is_ip_address(url_.host);
  if (!by_address) SSL_set_tlsext_host_name(ssl, url_.host.c_str());
  if (options_.verify_web_pki) {
    X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
    const int set = by_address ? X509_VERIFY_PARAM_set1_ip_asc(param, url_.host.c_str())
                               : X509_VERIFY_PARAM_set1_host(param, url_.host.c_str(), url_.host.size());
    if (set != 1) return fail(ErrorCode::kCrypto, "cannot set the host name to verify");
  }
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl, kProtocols, sizeof(kProtocols) - 1);
  return {};
}

Result<void> ClientChannel::shake_hands() {
  TRY_VOID(prepare_tls());
  error_code error;
  bool done = false;
  secure_->async_handshake(asio::ssl::stream_base::client, [&](const error_code& result) {
    error = result;
    done = true;
  });
  if (!run(options_.connect_timeout_s, done)) {
    return fail(ErrorCode::kTimeout,
                "no TLS handshake with " + name_ + " within " + std::to_string(options_.connect_timeout_s) + " s");
  }
  if (error) return handshake_error(error);
  spki_ = peer_spki_sha256(secure_->native_handle());
  // A handshake without a certificate would not have called verify_chain().
  other_key_ = options_.pinned_spki_sha256 && spki_ != options_.pinned_spki_sha256;
  if (other_key_) return handshake_error(error);
  return {};
}

Error ClientChannel::handshake_error(const error_code& error) {
  if (other_key_) {
    return fail(ErrorCode::kBadCertificate, name_ + " now shows another TLS key than before: nothing was sent to it");
  }
  const long verdict = SSL_get_verify_result(secure_->native_handle());
  if (options_.verify_web_pki && verdict != X509_V_OK) {
    return fail(ErrorCode::kBadCertificate,
                "the TLS certificate of " + name_ + " is not trusted: " + X509_verify_cert_error_string(verdict));
  }
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_WRONG_VERSION_NUMBER) {
    return fail(ErrorCode::kNetwork, name_ + " does not speak TLS: it may be an http address, not an https one");
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
