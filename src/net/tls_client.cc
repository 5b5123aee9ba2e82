#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <utility>

#include "crypto/hash.h"
#include "net/pem.h"

namespace cloister::net {
namespace {

bool is_ip_address(const std::string& host) {
  in6_addr address;
  const std::string without_zone = host.substr(0, host.find('%'));
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, without_zone.c_str(), &address) == 1;
}

}  // namespace

std::optional<ByteArray<32>> spki_sha256_of(const X509* certificate) {
  if (certificate == nullptr) return std::nullopt;
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return std::nullopt;
  const ByteArray<32> digest = crypto::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

Result<std::shared_ptr<const TlsClient>> TlsClient::make(std::string host, ServerTrust trust) {
  auto client = std::make_shared<TlsClient>(std::move(host), std::move(trust));
  TRY_VOID(client->prepare());
  return std::shared_ptr<const TlsClient>(std::move(client));
}

Result<void> TlsClient::prepare() {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const raw = context_.get();
  if (raw == nullptr || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1)
    return fail(ErrorCode::kCrypto, "TLS is not available");
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(raw, &TlsClient::verify_chain, this);
  by_address_ = is_ip_address(host_);
  if (trust_.roots != ServerTrust::Roots::kNone) TRY_VOID(set_roots());
  static constexpr unsigned char kProtocols[] = "\x08http/1.1";
  if (SSL_CTX_set_alpn_protos(raw, kProtocols, sizeof(kProtocols) - 1) != 0)
    return fail(ErrorCode::kCrypto, "cannot set the protocol of TLS");
  return {};
}

Result<void> TlsClient::set_roots() {
  if (trust_.roots == ServerTrust::Roots::kSystem) {
    // Where the system has no store, no chain is trusted.
    SSL_CTX_set_default_verify_paths(context_.get());
  } else if (!add_certificates(SSL_CTX_get_cert_store(context_.get()), trust_.given_pem)) {
    return fail(ErrorCode::kBadCertificate, "the roots to trust are not valid PEM");
  }
  X509_VERIFY_PARAM* const param = SSL_CTX_get0_param(context_.get());
  const int set = by_address_ ? X509_VERIFY_PARAM_set1_ip_asc(param, host_.c_str())
                              : X509_VERIFY_PARAM_set1_host(param, host_.c_str(), host_.size());
  if (set != 1) return fail(ErrorCode::kCrypto, "cannot set the host name to verify");
  return {};
}

std::unique_ptr<SSL, SslDelete> TlsClient::session() const {
  std::unique_ptr<SSL, SslDelete> ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return nullptr;
  if (!by_address_ && SSL_set_tlsext_host_name(ssl.get(), host_.c_str()) != 1) return nullptr;
  SSL_set_connect_state(ssl.get());
  return ssl;
}

bool TlsClient::accepts(const std::optional<ByteArray<32>>& spki_sha256) const {
  return !trust_.pinned_spki_sha256 || spki_sha256 == trust_.pinned_spki_sha256;
}

// Runs when the server's Certificate message is read: before the handshake is over, so before anything is written to a
// server that is refused here. The rest of the handshake shows whether the server has the private key.
int TlsClient::verify_chain(X509_STORE_CTX* chain, void* self) {
  const auto& client = *static_cast<const TlsClient*>(self);
  if (client.trust_.roots != ServerTrust::Roots::kNone && X509_verify_cert(chain) != 1) return 0;
  const bool accepted = client.accepts(spki_sha256_of(X509_STORE_CTX_get0_cert(chain)));
  X509_STORE_CTX_set_error(chain, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return accepted ? 1 : 0;
}

}  // namespace cloister::net
