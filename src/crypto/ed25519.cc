#include "crypto/ed25519.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/curve_calls.h"
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

// The key lies in the memory of lock_key_memory(), and is wiped when it is destroyed.
struct Ed25519Key::Impl {
  Impl() : private_key(static_cast<std::uint8_t*>(OPENSSL_secure_malloc(aws_lc::kEd25519PrivateBytes))) {
    require(private_key != nullptr, "no memory for a key");
  }
  ~Impl() { OPENSSL_secure_clear_free(private_key, aws_lc::kEd25519PrivateBytes); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::uint8_t* const private_key;
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
  ByteArray<32> public_key;
  aws_lc::expand_ed25519_seed(seed.data(), public_key.data(), impl->private_key);
  Ed25519Key key(std::move(impl));
  key.public_key_ = public_key;
  return key;
}

ByteArray<64> Ed25519Key::sign(ByteView message) const {
  ByteArray<64> out;
  aws_lc::sign_ed25519(impl_->private_key, view_of(message), out.data());
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
  if (!aws_lc::verify_ed25519(public_key.data(), view_of(message), signature.data())) {
    return fail(ErrorCode::kBadSignature, "the Ed25519 signature does not verify");
  }
  return {};
}

}  // namespace cloister::crypto
