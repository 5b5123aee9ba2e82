// Certificates and keys from PEM text into OpenSSL's objects. An encrypted key is an error, not a question on the terminal.
#pragma once

#include <openssl/ssl.h>

#include <string_view>

namespace cloister::net {

// The certificate that a server shows: the leaf and, after it, the certificates that connect it to a root. False for anything else.
bool use_chain(SSL_CTX* context, std::string_view pem);
// False for what is no PEM of a key, and for a key that does not belong to the leaf.
bool use_key(SSL_CTX* context, std::string_view pem);
// Adds one certificate or several as roots. False for anything else.
bool add_certificates(X509_STORE* store, std::string_view pem);

}  // namespace cloister::net
