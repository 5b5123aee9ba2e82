#include "http/tls.h"

#include <openssl/err.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <string>
#include <string_view>

namespace cloister::http {
namespace {

namespace ssl = boost::asio::ssl;

constexpr std::string_view kProtocol = "http/1.1";

// RFC 7301 section 3.2: when the client names protocols and ours is not among them, the handshake fails.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  std::size_t at = 0;
  while (at < offered_size) {
    const std::size_t size = offered[at];
    if (at + 1 + size > offered_size) break;
    const auto* name = offered + at + 1;
    if (std::string_view(reinterpret_cast<const char*>(name), size) == kProtocol) {
      *out = name;
      *out_size = static_cast<unsigned char>(size);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<TlsContext> make_server_tls(const TlsIdentity& identity) {
  ERR_clear_error();
  boost::system::error_code error;
  ssl::context context(ssl::context::tls_server);
  // An encrypted key is an error, not a question on the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context.use_certificate_chain(boost::asio::buffer(identity.certificate_chain_pem), error);
  if (error) return fail(ErrorCode::kBadCertificate, "the TLS certificate chain is not valid PEM");
  context.use_private_key(boost::asio::buffer(identity.private_key_pem), ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return fail(ErrorCode::kBadKey, "the TLS private key is not valid PEM or does not belong to the certificate");
  }
  SSL_CTX* const raw = context.native_handle();
  if (SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1) {
    return fail(ErrorCode::kCrypto, "TLS 1.3 is not available");
  }
  // No tickets: every connection shows the certificate, whose key the attestation report binds.
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  SSL_CTX_up_ref(raw);
  return TlsContext(raw);
}

}  // namespace cloister::http
