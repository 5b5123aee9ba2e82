#include "crypto/aws_lc/curves.h"

#include <openssl/bn.h>
#include <openssl/curve25519.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/nid.h>

#include <cstdlib>
#include <cstring>

namespace cloister::crypto::aws_lc {
namespace {

constexpr std::size_t kMostCoordinateBytes = 48;

std::size_t coordinate_bytes(Curve curve) { return curve == Curve::kP256 ? 32 : 48; }

// Out of memory: no caller could continue.
template <typename T>
T* made(T* object) {
  if (object == nullptr) std::abort();
  return object;
}

// The public key; null when `point` is not on the curve.
EC_KEY* make_key(Curve curve, const std::uint8_t* point) {
  std::uint8_t encoded[1 + 2 * kMostCoordinateBytes] = {POINT_CONVERSION_UNCOMPRESSED};
  const std::size_t size = 2 * coordinate_bytes(curve);
  std::memcpy(encoded + 1, point, size);
  EC_KEY* const key = made(EC_KEY_new_by_curve_name(curve == Curve::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1));
  const EC_GROUP* const group = EC_KEY_get0_group(key);
  EC_POINT* const decoded = made(EC_POINT_new(group));
  const bool ok =
      EC_POINT_oct2point(group, decoded, encoded, 1 + size, nullptr) == 1 && EC_KEY_set_public_key(key, decoded) == 1;
  EC_POINT_free(decoded);
  if (ok) return key;
  EC_KEY_free(key);
  return nullptr;
}

// Takes ownership of the signature, which is null when it could not be parsed.
Verdict verify(Curve curve, const std::uint8_t* point, View digest, ECDSA_SIG* signature) {
  EC_KEY* const key = make_key(curve, point);
  Verdict verdict = Verdict::kBadPoint;
  if (key != nullptr) {
    const bool good = signature != nullptr && ECDSA_do_verify(digest.data, digest.size, signature, key) == 1;
    verdict = good ? Verdict::kGood : Verdict::kBadSignature;
  }
  EC_KEY_free(key);
  ECDSA_SIG_free(signature);
  ERR_clear_error();
  return verdict;
}

}  // namespace

bool is_on_curve(Curve curve, const std::uint8_t* point) {
  EC_KEY* const key = make_key(curve, point);
  EC_KEY_free(key);
  if (key == nullptr) ERR_clear_error();
  return key != nullptr;
}

Verdict verify_ecdsa(Curve curve, const std::uint8_t* point, View digest, const std::uint8_t* signature) {
  const std::size_t half = coordinate_bytes(curve);
  ECDSA_SIG* const read = made(ECDSA_SIG_new());
  if (ECDSA_SIG_set0(read, made(BN_bin2bn(signature, half, nullptr)),
                     made(BN_bin2bn(signature + half, half, nullptr))) != 1)
    std::abort();
  return verify(curve, point, digest, read);
}

Verdict verify_ecdsa_der(Curve curve, const std::uint8_t* point, View digest, View signature) {
  return verify(curve, point, digest, ECDSA_SIG_from_bytes(signature.data, signature.size));
}

void expand_ed25519_seed(const std::uint8_t* seed, std::uint8_t* public_key, std::uint8_t* private_key) {
  ED25519_keypair_from_seed(public_key, private_key, seed);
}

void sign_ed25519(const std::uint8_t* private_key, View message, std::uint8_t* signature) {
  if (ED25519_sign(signature, message.data, message.size, private_key) != 1) std::abort();
}

bool verify_ed25519(const std::uint8_t* public_key, View message, const std::uint8_t* signature) {
  const bool good = ED25519_verify(message.data, message.size, signature, public_key) == 1;
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace cloister::crypto::aws_lc
