#include "crypto/key_memory.h"

#include <openssl/crypto.h>

namespace cloister::crypto {
namespace {

// A running handshake has a key of its own here. There is room for the most connections, since the library fails where
// there is none: nobody may use up the memory by beginning handshakes.
constexpr std::size_t kBytes = 4u << 20;
constexpr std::size_t kLeastPiece = 32;

}  // namespace

bool lock_key_memory() { return CRYPTO_secure_malloc_init(kBytes, kLeastPiece) == 1; }

}  // namespace cloister::crypto
