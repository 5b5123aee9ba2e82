#include "net/tls.h"

#include <openssl/err.h>

#include <string_view>

#include "net/pem.h"

namespace cloister::net {
namespace {

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
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const raw = context.get();
  if (raw == nullptr || SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) != 1)
    return fail(ErrorCode::kCrypto, "TLS 1.3 is not available");
  if (!use_chain(raw, identity.certificate_chain_pem))
    return fail(ErrorCode::kBadCertificate, "the TLS certificate chain is not valid PEM");
  if (!use_key(raw, identity.private_key_pem))
    return fail(ErrorCode::kBadKey, "the TLS private key is not valid PEM or does not belong to the certificate");
  // No tickets: every connection shows the certificate, whose key the attestation report binds.
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

}  // namespace cloister::net
