// Private to src/crypto: calls of src/crypto/aws_lc with this project's types.
#pragma once

#include "crypto/aws_lc/curves.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"

namespace cloister::crypto {

inline aws_lc::View view_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }
inline aws_lc::Curve aws_lc_curve(Curve curve) {
  return curve == Curve::kP256 ? aws_lc::Curve::kP256 : aws_lc::Curve::kP384;
}

// `point` is x || y and `signature` is r || s. The digest is the curve's.
inline aws_lc::Verdict verify_message(Curve curve, ByteView point, ByteView message, ByteView signature) {
  if (curve == Curve::kP256)
    return aws_lc::verify_ecdsa(aws_lc::Curve::kP256, point.data(), view_of(sha256(message)), signature.data());
  return aws_lc::verify_ecdsa(aws_lc::Curve::kP384, point.data(), view_of(sha384(message)), signature.data());
}
// Like verify_message() with a signature in DER.
inline bool is_message_signed(Curve curve, ByteView point, ByteView message, ByteView der) {
  const auto verify = [&](ByteView digest) {
    return aws_lc::verify_ecdsa_der(aws_lc_curve(curve), point.data(), view_of(digest), view_of(der));
  };
  return (curve == Curve::kP256 ? verify(sha256(message)) : verify(sha384(message))) == aws_lc::Verdict::kGood;
}

}  // namespace cloister::crypto
