#include "crypto/key_memory.h"

#include <openssl/crypto.h>

namespace cloister::crypto {
namespace {

// A handshake in progress has a key of its own here. Room for all that the most connections can have, since the library
// fails where there is none: nobody shall use it up by beginning handshakes.
constexpr std::size_t kBytes = 4u << 20;
constexpr std::size_t kLeastPiece = 32;

}  // namespace

bool lock_key_memory() { return CRYPTO_secure_malloc_init(kBytes, kLeastPiece) == 1; }

}  // namespace cloister::crypto
