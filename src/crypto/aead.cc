#include "crypto/aead.h"

#include <string.h>

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

using CipherCtxPtr = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr std::size_t kBlock = 16;
constexpr std::size_t kHalfNonce = 12;

const EVP_CIPHER* cipher(const char* name) {
  EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, name, nullptr);
  require(algorithm != nullptr, "AES is not available");
  return algorithm;
}
const EVP_CIPHER* gcm_algorithm() {
  static const EVP_CIPHER* const algorithm = cipher("AES-256-GCM");
  return algorithm;
}
const EVP_CIPHER* block_algorithm() {
  static const EVP_CIPHER* const algorithm = cipher("AES-256-ECB");
  return algorithm;
}

// Used by one thread at a time.
struct Contexts {
  CipherCtxPtr block;  // prepared with the key: encrypts single blocks
  CipherCtxPtr gcm;
};

int as_int(std::size_t size) {
  require(size <= INT32_MAX, "a text too long to encrypt");
  return static_cast<int>(size);
}

}  // namespace

struct AeadKey::Impl {
  SecretBytes key;
  ByteArray<kBlock> subkey{};  // K1 of CMAC (SP 800-38B, section 6.1)
  std::mutex mutex;
  std::vector<Contexts> idle;  // as many as there were threads working at once

  Contexts take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Contexts contexts = std::move(idle.back());
        idle.pop_back();
        return contexts;
      }
    }
    Contexts contexts{CipherCtxPtr(EVP_CIPHER_CTX_new()), CipherCtxPtr(EVP_CIPHER_CTX_new())};
    require(
        contexts.block != nullptr && contexts.gcm != nullptr &&
            EVP_EncryptInit_ex2(contexts.block.get(), block_algorithm(), key.expose().data(), nullptr, nullptr) == 1 &&
            EVP_CIPHER_CTX_set_padding(contexts.block.get(), 0) == 1,
        "preparing AES");
    return contexts;
  }
  void give_back(Contexts contexts) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(contexts));
  }

  // The key of the message with this nonce: two CMAC codes, each over one whole block.
  ByteArray<32> message_key(const Contexts& contexts, ByteView nonce) const {
    ByteArray<32> blocks{};
    for (std::size_t i = 0; i < 2; ++i) {
      std::uint8_t* block = blocks.data() + i * kBlock;
      block[1] = static_cast<std::uint8_t>(i + 1);
      block[2] = 'X';
      std::copy_n(nonce.begin(), kHalfNonce, block + 4);
      for (std::size_t at = 0; at < kBlock; ++at) block[at] ^= subkey[at];
    }
    ByteArray<32> out;
    int size = 0;
    require(EVP_EncryptUpdate(contexts.block.get(), out.data(), &size, blocks.data(), 32) == 1 && size == 32, "AES");
    return out;
  }
};

AeadKey::AeadKey(ByteView key) : impl_(std::make_unique<Impl>()) {
  assert(key.size() == 32);
  impl_->key = SecretBytes(key);
  Contexts contexts = impl_->take();
  ByteArray<kBlock> block{};
  int size = 0;
  require(EVP_EncryptUpdate(contexts.block.get(), block.data(), &size, block.data(), kBlock) == 1, "AES");
  const bool carry = (block[0] & 0x80) != 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::uint8_t next = i + 1 < kBlock ? block[i + 1] >> 7 : 0;
    impl_->subkey[i] = static_cast<std::uint8_t>(block[i] << 1 | next);
  }
  if (carry) impl_->subkey[kBlock - 1] ^= 0x87;
  impl_->give_back(std::move(contexts));
}

AeadKey::AeadKey(AeadKey&&) noexcept = default;
AeadKey& AeadKey::operator=(AeadKey&&) noexcept = default;
AeadKey::~AeadKey() = default;

void AeadKey::seal_with(ByteView nonce, ByteView associated, ByteView plain, std::string& out) const {
  assert(nonce.size() == kAeadNonceBytes);
  Contexts contexts = impl_->take();
  EVP_CIPHER_CTX* gcm = contexts.gcm.get();
  ByteArray<32> key = impl_->message_key(contexts, nonce);
  const std::size_t begin = out.size();
  out.resize(begin + plain.size() + kAeadTagBytes);
  auto* text = reinterpret_cast<std::uint8_t*>(out.data() + begin);
  int size = 0;
  bool ok = EVP_EncryptInit_ex2(gcm, gcm_algorithm(), key.data(), nonce.data() + kHalfNonce, nullptr) == 1 &&
            EVP_EncryptUpdate(gcm, nullptr, &size, associated.data(), as_int(associated.size())) == 1;
  if (!plain.empty()) ok = ok && EVP_EncryptUpdate(gcm, text, &size, plain.data(), as_int(plain.size())) == 1;
  ok = ok && EVP_EncryptFinal_ex(gcm, text + plain.size(), &size) == 1 &&
       EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, text + plain.size()) == 1;
  explicit_bzero(key.data(), key.size());
  require(ok, "AES-256-GCM");
  impl_->give_back(std::move(contexts));
}

void AeadKey::seal(ByteView associated, ByteView plain, std::string& out) const {
  ByteArray<kAeadNonceBytes> nonce;
  fill_random_id(nonce);
  out.reserve(out.size() + plain.size() + kAeadExtraBytes);
  out.append(as_text(nonce));
  seal_with(nonce, associated, plain, out);
}

Result<std::string> AeadKey::open(ByteView associated, std::string_view sealed) const {
  const Error wrong = fail(ErrorCode::kBadSignature, "the encrypted text is not what was encrypted with this key");
  if (sealed.size() < kAeadExtraBytes) return wrong;
  const ByteView nonce = as_bytes(sealed.substr(0, kAeadNonceBytes));
  const ByteView text = as_bytes(sealed.substr(kAeadNonceBytes, sealed.size() - kAeadExtraBytes));
  ByteArray<kAeadTagBytes> tag;
  std::copy_n(sealed.end() - kAeadTagBytes, kAeadTagBytes, tag.begin());
  const ErrorQueueGuard errors;
  Contexts contexts = impl_->take();
  EVP_CIPHER_CTX* gcm = contexts.gcm.get();
  ByteArray<32> key = impl_->message_key(contexts, nonce);
  std::string out(text.size(), '\0');
  auto* plain = reinterpret_cast<std::uint8_t*>(out.data());
  int size = 0;
  bool ok = EVP_DecryptInit_ex2(gcm, gcm_algorithm(), key.data(), nonce.data() + kHalfNonce, nullptr) == 1 &&
            EVP_DecryptUpdate(gcm, nullptr, &size, associated.data(), as_int(associated.size())) == 1;
  if (!text.empty()) ok = ok && EVP_DecryptUpdate(gcm, plain, &size, text.data(), as_int(text.size())) == 1;
  ok = ok && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1 &&
       EVP_DecryptFinal_ex(gcm, plain + text.size(), &size) == 1;
  explicit_bzero(key.data(), key.size());
  impl_->give_back(std::move(contexts));
  if (!ok) return wrong;
  return out;
}

}  // namespace cloister::crypto
