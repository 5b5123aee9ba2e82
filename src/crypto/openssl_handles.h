// Private to src/crypto: owning handles for OpenSSL objects and the few helpers that every file here needs.
#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "crypto/ecdsa.h"

namespace cloister::crypto {

template <auto Free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Handle = std::unique_ptr<T, OpensslDeleter<Free>>;

using BignumPtr = Handle<BIGNUM, BN_clear_free>;
using BioPtr = Handle<BIO, BIO_free_all>;
using BnCtxPtr = Handle<BN_CTX, BN_CTX_free>;
using DigestCtxPtr = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSigPtr = Handle<ECDSA_SIG, ECDSA_SIG_free>;
using EcGroupPtr = Handle<EC_GROUP, EC_GROUP_free>;
using EcPointPtr = Handle<EC_POINT, EC_POINT_clear_free>;
using PkeyCtxPtr = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using PkeyPtr = Handle<EVP_PKEY, EVP_PKEY_free>;
using X509Ptr = Handle<X509, X509_free>;

// Restores the thread's OpenSSL error queue, since src/http would take a left-over entry for a TLS error.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() { ERR_set_mark(); }
  ~ErrorQueueGuard() { ERR_pop_to_mark(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
};

// For calls that fail only when memory is out or the library is broken: no caller could continue safely. Prints `what`
// and aborts when `ok` is false.
void require(bool ok, const char* what);

// Algorithms that are fetched once (fetching on every use costs two to three times as much for small inputs). Never freed.
const EVP_MD* sha256_algorithm();
const EVP_MD* sha384_algorithm();

struct EcKey::Impl {
  PkeyPtr key;
  Curve curve;
};

inline int curve_nid(Curve curve) { return curve == Curve::kP256 ? NID_X9_62_prime256v1 : NID_secp384r1; }
inline const char* curve_name(Curve curve) { return curve == Curve::kP256 ? "P-256" : "P-384"; }
inline const EVP_MD* curve_digest(Curve curve) {
  return curve == Curve::kP256 ? sha256_algorithm() : sha384_algorithm();
}

// Makes a public key from x || y; null when that is not a point on the curve.
PkeyPtr make_public_key(Curve curve, ByteView point);

// The curve of a key, or an error for any key that is not EC on a named P-256 or P-384.
Result<Curve> pkey_curve(const EVP_PKEY* key);
// x || y of such a key.
Result<Bytes> pkey_point(const EVP_PKEY* key, Curve curve);
// Turns r || s into the DER form that OpenSSL takes.
Bytes encode_ecdsa_signature(ByteView raw);

}  // namespace cloister::crypto
