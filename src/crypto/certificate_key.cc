// The public key of a certificate, and the verification of what the key signed.
#include "crypto/certificate_handles.h"
#include "crypto/curve_calls.h"

namespace cloister::crypto {
namespace {

Error bad_key(const std::string& what) { return fail(ErrorCode::kBadKey, what); }

// The curve that the parameters of id-ecPublicKey name (RFC 5480, 2.1.1).
Result<Curve> named_curve(const X509_ALGOR* algorithm) {
  int type = 0;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  // A key that spells out its own curve could choose the base point (CVE-2020-0601).
  if (type == V_ASN1_SEQUENCE) {
    return bad_key("the EC key spells out its curve parameters instead of naming the curve");
  }
  const int nid = type == V_ASN1_OBJECT ? OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(value)) : NID_undef;
  if (nid == NID_X9_62_prime256v1) return Curve::kP256;
  if (nid == NID_secp384r1) return Curve::kP384;
  return bad_key("expected an EC key on P-256 or P-384");
}

// Parses a key of any other kind with the library.
PkeyPtr decode_key(const X509_PUBKEY* key) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(key, &der);
  if (size <= 0) return nullptr;
  const std::uint8_t* at = der;
  PkeyPtr decoded(d2i_PUBKEY(nullptr, &at, size));
  OPENSSL_free(der);
  return decoded;
}

// The bytes that the signature covers. `der` has been parsed as a certificate, but may still have lengths that only BER
// allows.
ByteView signed_part(ByteView der) {
  const std::uint8_t* at = der.data();
  const std::uint8_t* const end = der.data() + der.size();
  long size = 0;
  int tag = 0;
  int kind = 0;
  if (ASN1_get_object(&at, &size, &tag, &kind, end - at) != V_ASN1_CONSTRUCTED) return {};
  const std::uint8_t* const begin = at;
  if (ASN1_get_object(&at, &size, &tag, &kind, end - at) != V_ASN1_CONSTRUCTED) return {};
  return {begin, at + size};
}

}  // namespace

CertificateKey read_certificate_key(const X509* certificate) {
  const X509_PUBKEY* key = X509_get_X509_PUBKEY(certificate);
  ASN1_OBJECT* oid = nullptr;
  const std::uint8_t* bits = nullptr;
  int size = 0;
  X509_ALGOR* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&oid, &bits, &size, &algorithm, key) != 1) return {{}, bad_key("no public key")};
  if (OBJ_obj2nid(oid) != NID_X9_62_id_ecPublicKey) return {{}, bad_key("not an EC key"), true};
  const Result<Curve> curve = named_curve(algorithm);
  if (!curve) return {{}, curve.error()};
  ByteView encoded(bits, static_cast<std::size_t>(size));
  if (encoded.size() != 1 + 2 * coordinate_size(*curve) || encoded.front() != POINT_CONVERSION_UNCOMPRESSED) {
    return {{}, bad_key(std::string("expected an uncompressed point on ") + curve_name(*curve))};
  }
  const ByteView point = encoded.subspan(1);
  if (!aws_lc::is_on_curve(aws_lc_curve(*curve), point.data())) {
    return {{}, bad_key(std::string("the public key is not a point on ") + curve_name(*curve))};
  }
  return {to_bytes(point), *curve};
}

EVP_PKEY* Certificate::Impl::key() const {
  std::call_once(key_once, [this] {
    const ErrorQueueGuard guard;
    if (public_key.curve) {
      made_key = make_public_key(*public_key.curve, public_key.point);
    } else if (public_key.is_of_another_kind) {
      made_key = decode_key(X509_get_X509_PUBKEY(x509.get()));
    }
  });
  return made_key.get();
}

X509Ptr with_key(const Certificate& certificate) {
  const Bytes& der = certificate.impl().der;
  const std::uint8_t* at = der.data();
  X509Ptr x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  require(x509 != nullptr, "a certificate that was read before");
  return x509;
}

Result<void> check_names_issuer(const Certificate& child, const Certificate& issuer) {
  X509* lower = child.impl().x509.get();
  X509* upper = issuer.impl().x509.get();
  if (X509_NAME_cmp(X509_get_issuer_name(lower), X509_get_subject_name(upper)) != 0) {
    return fail(ErrorCode::kBadCertificate, "its issuer name is not the subject name of the next certificate");
  }
  int critical = 0;
  const Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> identifier(
      static_cast<AUTHORITY_KEYID*>(X509_get_ext_d2i(lower, NID_authority_key_identifier, &critical, nullptr)));
  // Absent gives -1; a duplicate gives -2 and was refused with the certificate.
  if (identifier == nullptr && critical != -1) {
    return fail(ErrorCode::kBadCertificate, "its authority key identifier is malformed");
  }
  if (identifier == nullptr) return {};
  X509_get_extension_flags(upper);  // this parses the extensions that the next call compares with
  if (const int code = X509_check_akid(upper, identifier.get()); code != X509_V_OK) {
    return fail(ErrorCode::kBadCertificate,
                std::string("not issued by the next certificate: ") + X509_verify_cert_error_string(code));
  }
  return {};
}

bool is_ecdsa_with(Curve curve, const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(oid) == (curve == Curve::kP256 ? NID_ecdsa_with_SHA256 : NID_ecdsa_with_SHA384);
}

bool is_signed_by(const SignedDer& item, const Certificate& issuer) {
  const ErrorQueueGuard guard;
  const Result<Curve>& curve = issuer.impl().public_key.curve;
  constexpr long kUnusedBits = 7;
  const ByteView covered = signed_part(item.der);
  if (!curve || covered.empty() || X509_ALGOR_cmp(item.algorithm, item.signed_algorithm) != 0 ||
      !is_ecdsa_with(*curve, item.algorithm) || (item.signature->flags & kUnusedBits) != 0) {
    return false;
  }
  const ByteView signature(ASN1_STRING_get0_data(item.signature),
                           static_cast<std::size_t>(ASN1_STRING_length(item.signature)));
  return is_message_signed(*curve, issuer.impl().public_key.point, covered, signature);
}

bool is_signed_by(const Certificate& child, const Certificate& issuer) {
  const X509* x509 = child.impl().x509.get();
  SignedDer item{X509_get0_tbs_sigalg(x509), nullptr, nullptr, child.impl().der};
  X509_get0_signature(&item.signature, &item.algorithm, x509);
  if (issuer.impl().public_key.curve) return is_signed_by(item, issuer);
  const ErrorQueueGuard guard;
  return issuer.impl().key() != nullptr && X509_verify(with_key(child).get(), issuer.impl().key()) == 1;
}

}  // namespace cloister::crypto
