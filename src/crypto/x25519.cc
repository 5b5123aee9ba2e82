#include "crypto/x25519.h"

#include <string>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {

struct X25519Key::Impl {
  PkeyPtr key;
};

X25519Key::X25519Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
X25519Key::X25519Key(X25519Key&&) noexcept = default;
X25519Key& X25519Key::operator=(X25519Key&&) noexcept = default;
X25519Key::~X25519Key() = default;

Result<X25519Key> X25519Key::from_secret(ByteView secret) {
  if (secret.size() != 32) {
    return fail(ErrorCode::kBadKey, "an X25519 secret has 32 bytes, got " + std::to_string(secret.size()));
  }
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, secret.data(), secret.size()));
  require(impl->key != nullptr, "X25519 key");
  X25519Key key(std::move(impl));
  std::size_t size = key.public_key_.size();
  require(EVP_PKEY_get_raw_public_key(key.impl_->key.get(), key.public_key_.data(), &size) == 1 && size == 32,
          "X25519 public key");
  return key;
}

}  // namespace cloister::crypto
