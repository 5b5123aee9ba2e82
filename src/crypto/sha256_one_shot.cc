// SHA-256 of a whole text, with OpenSSL's own functions for this digest: the general ones (EVP) cost more than twice as
// much as the digest of one block, and trees of events and of their salts need thousands of those. These functions are
// deprecated since OpenSSL 3.0 in favour of providers, but no other provider is used here.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {

Sha256Digest sha256(ByteView bytes) {
  Sha256Digest out;
  SHA256_CTX context;
  require(SHA256_Init(&context) == 1 && SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
              SHA256_Final(out.data(), &context) == 1,
          "SHA-256");
  return out;
}

}  // namespace cloister::crypto
