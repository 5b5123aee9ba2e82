#include "crypto/ed25519.h"

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

// The field prime 2^255 - 19, little-endian.
constexpr ByteArray<32> kPrime = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

// The y coordinates, little-endian, of the eight points whose order divides 8.
constexpr ByteArray<32> kSmallOrderY[] = {
    {0},
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

bool below(const ByteArray<32>& a, const ByteArray<32>& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

Result<void> check_public_key(ByteView public_key) {
  ByteArray<32> y;
  std::copy(public_key.begin(), public_key.end(), y.begin());
  y[31] &= 0x7f;  // the top bit is the sign of x
  if (!below(y, kPrime)) return fail(ErrorCode::kBadKey, "the Ed25519 public key is not in canonical form");
  if (std::ranges::find(kSmallOrderY, y) != std::end(kSmallOrderY)) {
    return fail(ErrorCode::kBadKey, "the Ed25519 public key is a point of small order");
  }
  return {};
}

}  // namespace

// Preparing a context costs more than half as much as the signature. A context signs for one thread at a time, so as
// many are kept as threads have ever signed at once. Each holds a reference to the key, no copy of it: the private half
// is wiped when the last of them goes, which is here.
struct Ed25519Key::Impl {
  PkeyPtr key;
  std::mutex mutex;
  std::vector<DigestCtxPtr> idle;  // prepared; nobody signs with them now

  DigestCtxPtr take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        DigestCtxPtr context = std::move(idle.back());
        idle.pop_back();
        return context;
      }
    }
    DigestCtxPtr context(EVP_MD_CTX_new());
    require(context != nullptr &&
                EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1,
            "preparing an Ed25519 signature");
    return context;
  }
  void give_back(DigestCtxPtr context) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(context));
  }
};

Ed25519Key::Ed25519Key(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;
Ed25519Key::~Ed25519Key() = default;

Result<Ed25519Key> Ed25519Key::from_seed(ByteView seed) {
  if (seed.size() != 32) {
    return fail(ErrorCode::kBadKey, "an Ed25519 seed has 32 bytes, got " + std::to_string(seed.size()));
  }
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()));
  require(impl->key != nullptr, "Ed25519 key");
  Ed25519Key key(std::move(impl));
  std::size_t size = key.public_key_.size();
  require(EVP_PKEY_get_raw_public_key(key.impl_->key.get(), key.public_key_.data(), &size) == 1 && size == 32,
          "Ed25519 public key");
  return key;
}

ByteArray<64> Ed25519Key::sign(ByteView message) const {
  DigestCtxPtr context = impl_->take();
  ByteArray<64> out;
  std::size_t size = out.size();
  require(EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1 && size == 64,
          "Ed25519 signature");
  impl_->give_back(std::move(context));
  return out;
}

Result<void> verify_ed25519(ByteView public_key, ByteView message, ByteView signature) {
  if (public_key.size() != 32) {
    return fail(ErrorCode::kBadKey, "an Ed25519 public key has 32 bytes, got " + std::to_string(public_key.size()));
  }
  if (signature.size() != 64) {
    return fail(ErrorCode::kBadSignature, "an Ed25519 signature has 64 bytes, got " + std::to_string(signature.size()));
  }
  TRY_VOID(check_public_key(public_key));
  const ErrorQueueGuard guard;
  const PkeyPtr key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, public_key.data(), public_key.size()));
  const DigestCtxPtr context(EVP_MD_CTX_new());
  require(key != nullptr && context != nullptr &&
              EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1,
          "Ed25519 verification");
  // Cofactorless, compares the encoding of R, and refuses S at or above the group order (RFC 8032, 5.1.7).
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
    return fail(ErrorCode::kBadSignature, "the Ed25519 signature does not verify");
  }
  return {};
}

}  // namespace cloister::crypto
