// ECDSA over the NIST curves as attestation formats use it: raw r || s, raw x || y, both big-endian.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

enum class Curve { kP256, kP384 };  // signs with SHA-256 and SHA-384 respectively

// Number of bytes of one coordinate: 32 or 48.
constexpr std::size_t coordinate_size(Curve curve) { return curve == Curve::kP256 ? 32 : 48; }

// A private key. It is no secret in the simulator, which is its main user; TLS keys are the other use.
class EcKey {
 public:
  // Derives the scalar from `seed` and `label` (HKDF-SHA256 to 8 bytes more than the order, reduced), so that the
  // same seed always gives the same key.
  static Result<EcKey> derive(Curve curve, ByteView seed, std::string_view label);
  static Result<EcKey> generate(Curve curve);
  static Result<EcKey> from_pem(std::string_view pem);
  EcKey(EcKey&&) noexcept;
  EcKey& operator=(EcKey&&) noexcept;
  ~EcKey();

  Curve curve() const;
  Bytes public_point() const;  // x || y
  // Hashes and signs: r || s. Deterministic (RFC 6979), so that evidence made from a seed is the same on every run.
  Bytes sign(ByteView message) const;
  std::string to_pem() const;  // PKCS#8, for TLS
  struct Impl;
  const Impl& impl() const { return *impl_; }  // opaque outside src/crypto

 private:
  explicit EcKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Verifies r || s over SHA-256 (P-256) or SHA-384 (P-384) of `message` with the point x || y. Rejects points off the curve,
// and r or s of zero or not below the order. High s is accepted, since Intel's quoting enclaves do not normalise s.
Result<void> verify_ecdsa(Curve curve, ByteView public_point, ByteView message, ByteView signature);

}  // namespace cloister::crypto
