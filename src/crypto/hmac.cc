#include "crypto/hmac.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <mutex>
#include <utility>
#include <vector>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

using MacCtxPtr = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

EVP_MAC* hmac_algorithm() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  require(algorithm != nullptr, "HMAC is not available");
  return algorithm;
}

}  // namespace

// Preparing a context costs more than a short code. A context works for one thread at a time, so as many are kept as
// there were threads computing at once; each begins as a copy of the first.
struct HmacKey::Impl {
  MacCtxPtr first;
  std::mutex mutex;
  std::vector<MacCtxPtr> idle;

  MacCtxPtr take() {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      MacCtxPtr context = std::move(idle.back());
      idle.pop_back();
      return context;
    }
    MacCtxPtr copy(EVP_MAC_CTX_dup(first.get()));
    require(copy != nullptr, "no memory for a code");
    return copy;
  }
  void give_back(MacCtxPtr context) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(context));
  }
};

HmacKey::HmacKey(ByteView key) : impl_(std::make_unique<Impl>()) {
  impl_->first.reset(EVP_MAC_CTX_new(hmac_algorithm()));
  char digest_name[] = "SHA2-256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                                   OSSL_PARAM_construct_end()};
  require(impl_->first != nullptr && EVP_MAC_init(impl_->first.get(), key.data(), key.size(), parameters) == 1,
          "HMAC key");
}

HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;
HmacKey::~HmacKey() = default;

Sha256Digest HmacKey::mac(std::initializer_list<ByteView> parts) const {
  MacCtxPtr context = impl_->take();
  Sha256Digest out;
  std::size_t size = 0;
  // Without a key: uses the one that the context already has.
  bool ok = EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1;
  for (const ByteView part : parts) ok = ok && EVP_MAC_update(context.get(), part.data(), part.size()) == 1;
  require(ok && EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1 && size == out.size(), "HMAC");
  impl_->give_back(std::move(context));
  return out;
}

}  // namespace cloister::crypto
