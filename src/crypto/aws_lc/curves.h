// Elliptic curves as AWS-LC computes them: NIST's two curves for verifying, Ed25519 for signing and verifying.
//
// AWS-LC and OpenSSL give the same names to their functions. So only these few functions are linked with AWS-LC, and
// its names are made local afterwards (cmake/aws_lc.cmake). The interface has pointers and sizes only: nothing here may
// pull a shared inline function into that object. Any thread; nothing waits; nothing is logged.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cloister::crypto::aws_lc {

enum class Curve { kP256, kP384 };
enum class Verdict { kGood, kBadPoint, kBadSignature };

// A pointer to bytes whose size is not part of the type.
struct View {
  const std::uint8_t* data;
  std::size_t size;
};

// True when x || y is a point of the curve, with each coordinate below the field's prime.
bool is_on_curve(Curve curve, const std::uint8_t* point);
// `point` is x || y, `signature` is r || s, all of one size (32 or 48 bytes); `digest` is what was signed. Refuses a point that is not on
// the curve, and r or s that are 0 or not below the order (FIPS 186-5, section 6.4.2).
Verdict verify_ecdsa(Curve curve, const std::uint8_t* point, View digest, const std::uint8_t* signature);
// Like verify_ecdsa() for a signature in DER (RFC 3279, section 2.2.3), which has one form only and nothing after it.
Verdict verify_ecdsa_der(Curve curve, const std::uint8_t* point, View digest, View signature);

inline constexpr std::size_t kEd25519PrivateBytes = 64;  // the seed, then the public key
// RFC 8032, section 5.1.5: writes 32 bytes and kEd25519PrivateBytes.
void expand_ed25519_seed(const std::uint8_t* seed, std::uint8_t* public_key, std::uint8_t* private_key);
// RFC 8032, section 5.1.6: writes 64 bytes. In constant time.
void sign_ed25519(const std::uint8_t* private_key, View message, std::uint8_t* signature);
// RFC 8032, section 5.1.7, without the cofactor: compares the encoding of R, and refuses S at or above the order.
bool verify_ed25519(const std::uint8_t* public_key, View message, const std::uint8_t* signature);

}  // namespace cloister::crypto::aws_lc
