// Private to src/crypto: what a Certificate holds, and parsers that certificates and revocation lists share.
#pragma once

#include <mutex>
#include <string>

#include "crypto/openssl_handles.h"
#include "crypto/x509.h"

namespace cloister::crypto {

// The key in a SubjectPublicKeyInfo.
struct CertificateKey {
  Bytes point;                      // x || y of a key on `curve`
  Result<Curve> curve;              // an error for anything but a named P-256 or P-384 with an uncompressed point
  bool is_of_another_kind = false;  // RSA, for instance
};
CertificateKey read_certificate_key(const X509* certificate);

struct Certificate::Impl {
  X509Ptr x509;  // it has no key of its own: X509_get0_pubkey() of it is null (see x509.cc)
  Bytes der;
  UnixSeconds not_before;
  UnixSeconds not_after;
  CertificateKey public_key;

  // The key in OpenSSL's form, made at the first call, which costs as much as verifying a signature. Null when OpenSSL
  // cannot parse the key. Any thread.
  EVP_PKEY* key() const;

  mutable std::once_flag key_once;
  mutable PkeyPtr made_key;
};

using ExtensionPtr = Handle<X509_EXTENSION, X509_EXTENSION_free>;
// subjectAltName (RFC 5280, 4.2.1.6) of these DNS names and IP addresses; null when it cannot be encoded.
ExtensionPtr make_alternative_names(const std::vector<std::string>& names);

// A second X.509 object of the same certificate, for library functions that ask it for its key.
X509Ptr with_key(const Certificate& certificate);

// Checks that `issuer` may be the one that `child` names: by its name, and by key identifier, serial and issuer where
// `child` states them (RFC 5280, 4.2.1.1). Signatures and roles are not checked.
Result<void> check_names_issuer(const Certificate& child, const Certificate& issuer);
// Verifies the signature on `child` with the key of `issuer`; also refuses when the outer and the signed algorithm
// identifier differ.
bool is_signed_by(const Certificate& child, const Certificate& issuer);

// The form of certificates and revocation lists: SEQUENCE { what is signed, algorithm, signature }.
struct SignedDer {
  const X509_ALGOR* signed_algorithm;  // the algorithm inside the signed part
  const X509_ALGOR* algorithm;
  const ASN1_BIT_STRING* signature;
  ByteView der;  // the whole item
};
// Verifies the signature by an EC key, with the digest of the key's curve.
bool is_signed_by(const SignedDer& item, const Certificate& issuer);
bool is_ecdsa_with(Curve curve, const X509_ALGOR* algorithm);

// It does not use time_t, so it is correct for the year 9999 everywhere. `name` is for the message.
Result<UnixSeconds> to_unix(const ASN1_TIME* time, const char* name);
// Returns the only common name, as UTF-8; empty when there is none, or more than one.
std::string common_name(const X509_NAME* name);

}  // namespace cloister::crypto
