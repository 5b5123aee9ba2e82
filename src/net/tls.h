// TLS settings of the server: TLS 1.3 only, http/1.1 by ALPN, no resumption.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/result.h"
#include "net/tls_identity.h"

namespace cloister::net {

struct SslContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, SslContextDelete>;
struct SslDelete {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// Fails with kBadCertificate or kBadKey; the message never holds key material.
Result<TlsContext> make_server_tls(const TlsIdentity& identity);

}  // namespace cloister::net
