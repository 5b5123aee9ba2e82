#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

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

// Answers OpenSSL's question for a password with none: an encrypted key is an error, not a question on the terminal.
int no_password(char*, int, int, void*) { return 0; }

struct BioDelete {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateDelete {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyDelete {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, CertificateDelete>;

std::unique_ptr<BIO, BioDelete> reader_of(std::string_view text) {
  return std::unique_ptr<BIO, BioDelete>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The leaf and, after it, the certificates that connect it to a root.
bool use_chain(SSL_CTX* context, std::string_view pem) {
  const auto text = reader_of(pem);
  const Certificate leaf(PEM_read_bio_X509_AUX(text.get(), nullptr, no_password, nullptr));
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  SSL_CTX_clear_chain_certs(context);
  for (;;) {
    const Certificate next(PEM_read_bio_X509(text.get(), nullptr, no_password, nullptr));
    if (next == nullptr) break;
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return false;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end;
}

bool use_key(SSL_CTX* context, std::string_view pem) {
  const auto text = reader_of(pem);
  const std::unique_ptr<EVP_PKEY, KeyDelete> key(PEM_read_bio_PrivateKey(text.get(), nullptr, no_password, nullptr));
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
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
