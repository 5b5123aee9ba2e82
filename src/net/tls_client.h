// TlsClient: TLS towards one server: whose certificates are accepted, and for which name. TLS 1.2 or later, http/1.1 by ALPN, no
// renegotiation: a second handshake could show another key.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "net/tls.h"

namespace cloister::net {

// What a server has to show. Both are checked while the certificate is read, before a byte of a request can be written.
struct ServerTrust {
  enum class Roots {
    kNone,    // any chain; without a pin too, anyone: the caller judges the key that the server has shown
    kSystem,  // the system's store
    kGiven,   // `given_pem` alone
  };
  // With roots, the chain, its dates and the host name (or IP address) are verified.
  Roots roots = Roots::kSystem;
  std::string given_pem = {};  // one certificate or several
  // The SHA-256 of the SubjectPublicKeyInfo that the leaf must have, whatever the roots say.
  std::optional<ByteArray<32>> pinned_spki_sha256 = std::nullopt;
};

class TlsClient {
 public:
  // `host` is sent (SNI) unless it is an IP address. Errors: kBadCertificate for given roots that are no PEM, kCrypto.
  static Result<std::shared_ptr<const TlsClient>> make(std::string host, ServerTrust trust);
  TlsClient(std::string host, ServerTrust trust) : host_(std::move(host)), trust_(std::move(trust)) {}
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Any thread. A new connection's state, which needs this object as long as it lives; null when there is no memory.
  std::unique_ptr<SSL, SslDelete> session() const;
  // False when a key is pinned and this is another one.
  bool accepts(const std::optional<ByteArray<32>>& spki_sha256) const;

 private:
  Result<void> prepare();
  Result<void> set_roots();
  // For SSL_CTX_set_cert_verify_callback, with a TlsClient as `self`.
  static int verify_chain(X509_STORE_CTX* chain, void* self);

  const std::string host_;
  const ServerTrust trust_;
  bool by_address_ = false;
  TlsContext context_;
};

// SHA-256 of the SubjectPublicKeyInfo of a certificate; none for null.
std::optional<ByteArray<32>> spki_sha256_of(const X509* certificate);

}  // namespace cloister::net
