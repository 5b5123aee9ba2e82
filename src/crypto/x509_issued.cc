#include "crypto/x509_issued.h"

#include "base/clock.h"
#include "crypto/certificate_handles.h"

namespace cloister::crypto {
namespace {

constexpr int kLeastRsaBits = 2048;

Error broken(const char* which, const std::string& what) {
  return fail(ErrorCode::kBadCertificate, std::string(which) + ": " + what);
}

Result<void> check_common(const Certificate& certificate, const char* which, UnixSeconds time) {
  if (time < certificate.not_before() || time > certificate.not_after()) {
    return broken(which, "valid from " + to_rfc3339(certificate.not_before()) + " until " +
                             to_rfc3339(certificate.not_after()) + ", judged at " + to_rfc3339(time));
  }
  X509* x509 = certificate.impl().x509.get();
  if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0) return broken(which, "an extension is malformed");
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_basic_constraints && nid != NID_key_usage) {
      return broken(which, "a critical extension is not understood");
    }
  }
  return {};
}

bool is_rsa_signature(int nid) {
  return nid == NID_sha256WithRSAEncryption || nid == NID_sha384WithRSAEncryption || nid == NID_sha512WithRSAEncryption;
}

bool may_use(const Certificate& certificate, std::uint32_t usage) {
  X509* x509 = certificate.impl().x509.get();
  return (X509_get_extension_flags(x509) & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x509) & usage) != 0;
}

}  // namespace

Result<void> verify_issued_by(const Certificate& leaf, const Certificate& authority, UnixSeconds time) {
  const ErrorQueueGuard guard;
  TRY_VOID(check_common(leaf, "the certificate", time));
  TRY_VOID(check_common(authority, "its authority", time));
  if (!authority.is_ca() || !may_use(authority, KU_KEY_CERT_SIGN)) {
    return broken("its authority", "not meant to sign certificates");
  }
  if (leaf.is_ca() || !may_use(leaf, KU_DIGITAL_SIGNATURE)) {
    return broken("the certificate", "not meant for signatures");
  }
  EVP_PKEY* key = authority.impl().key();
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < kLeastRsaBits) {
    return broken("its authority", "expected an RSA key of at least 2048 bits");
  }
  if (!is_rsa_signature(X509_get_signature_nid(leaf.impl().x509.get()))) {
    return broken("the certificate", "expected a signature by RSA with SHA-256, SHA-384 or SHA-512");
  }
  if (auto named = check_names_issuer(leaf, authority); !named) return broken("the certificate", named.error().message);
  if (!is_signed_by(leaf, authority)) return broken("the certificate", "its authority did not sign it");
  return {};
}

}  // namespace cloister::crypto
