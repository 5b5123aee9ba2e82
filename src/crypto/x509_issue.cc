#include "crypto/certificate_handles.h"
#include "crypto/ecdsa_deterministic.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace cloister::crypto {
namespace {

using NamePtr = Handle<X509_NAME, X509_NAME_free>;
Error not_issued(const std::string& what) { return fail(ErrorCode::kBadCertificate, "cannot issue: " + what); }

Result<void> add_entry(X509_NAME* name, int nid, const std::string& text) {
  if (text.empty()) return {};
  if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const std::uint8_t*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0) != 1) {
    return not_issued(std::string("the ") + OBJ_nid2ln(nid) + " is not a valid name");
  }
  return {};
}

Result<NamePtr> make_name(const std::string& common_name, const std::string& organization) {
  NamePtr name(X509_NAME_new());
  require(name != nullptr, "no memory for a name");
  TRY_VOID(add_entry(name.get(), NID_commonName, common_name));
  TRY_VOID(add_entry(name.get(), NID_organizationName, organization));
  return name;
}

Result<void> set_serial(X509* x509, Bytes serial) {
  if (serial.empty() || serial.size() > 20) {
    return not_issued("expected a serial of 1 to 20 bytes, got " + std::to_string(serial.size()));
  }
  if (serial.size() == 20) serial[0] &= 0x7f;  // 20 octets including the sign bit: RFC 5280, 4.1.2.2
  const BignumPtr number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  require(number != nullptr, "no memory for a serial number");
  if (BN_is_zero(number.get())) return not_issued("the serial is zero");
  require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr, "serial number");
  return {};
}

Result<void> set_times(X509* x509, UnixSeconds not_before, UnixSeconds not_after) {
  if (not_before > not_after) return not_issued("notBefore is after notAfter");
  if (ASN1_TIME_set(X509_getm_notBefore(x509), not_before) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), not_after) == nullptr) {
    return not_issued("the validity is not between the years 0 and 9999");
  }
  return {};
}

Result<void> add_extension(X509* x509, ExtensionPtr extension) {
  if (extension == nullptr) return not_issued("an extension cannot be encoded");
  require(X509_add_ext(x509, extension.get(), -1) == 1, "certificate extension");
  return {};
}

Result<void> add_basic_constraints(X509* x509, const CertificateSpec& spec) {
  const Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(BASIC_CONSTRAINTS_new());
  require(constraints != nullptr, "no memory for an extension");
  constraints->ca = spec.is_ca ? 0xff : 0;
  if (spec.path_length) {
    if (!spec.is_ca || *spec.path_length < 0) return not_issued("a path length needs a CA and is not negative");
    constraints->pathlen = ASN1_INTEGER_new();
    require(constraints->pathlen != nullptr && ASN1_INTEGER_set(constraints->pathlen, *spec.path_length) == 1,
            "path length");
  }
  return add_extension(x509, ExtensionPtr(X509V3_EXT_i2d(NID_basic_constraints, 1, constraints.get())));
}

Result<void> add_key_usage(X509* x509, bool is_ca) {
  const Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage(ASN1_BIT_STRING_new());
  require(usage != nullptr, "no memory for an extension");
  // Bits of RFC 5280, 4.2.1.3: 0 digitalSignature, 5 keyCertSign, 6 cRLSign.
  if (is_ca) {
    require(ASN1_BIT_STRING_set_bit(usage.get(), 5, 1) == 1 && ASN1_BIT_STRING_set_bit(usage.get(), 6, 1) == 1,
            "key usage");
  } else {
    require(ASN1_BIT_STRING_set_bit(usage.get(), 0, 1) == 1, "key usage");
  }
  return add_extension(x509, ExtensionPtr(X509V3_EXT_i2d(NID_key_usage, 1, usage.get())));
}

// First 20 bytes of the SHA-256 of the public key (RFC 7093, method 1).
Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> key_identifier(const EcKey& key) {
  Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> out(ASN1_OCTET_STRING_new());
  Bytes encoded{POINT_CONVERSION_UNCOMPRESSED};
  append(encoded, key.public_point());
  require(out != nullptr && ASN1_OCTET_STRING_set(out.get(), sha256(encoded).data(), 20) == 1, "key identifier");
  return out;
}

Result<void> add_key_identifiers(X509* x509, const EcKey& subject_key, const EcKey& issuer_key) {
  const auto subject = key_identifier(subject_key);
  TRY_VOID(add_extension(x509, ExtensionPtr(X509V3_EXT_i2d(NID_subject_key_identifier, 0, subject.get()))));
  const Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(AUTHORITY_KEYID_new());
  require(authority != nullptr, "no memory for an extension");
  authority->keyid = key_identifier(issuer_key).release();
  return add_extension(x509, ExtensionPtr(X509V3_EXT_i2d(NID_authority_key_identifier, 0, authority.get())));
}

Result<void> add_alternative_names(X509* x509, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  return add_extension(x509, make_alternative_names(names));
}

Result<void> add_custom_extensions(X509* x509, const std::vector<CertificateExtension>& extensions) {
  for (const CertificateExtension& extension : extensions) {
    const Handle<ASN1_OBJECT, ASN1_OBJECT_free> oid(OBJ_txt2obj(extension.oid.c_str(), 1));
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
    if (oid == nullptr) return not_issued("an extension's OID is not dotted numbers");
    require(value != nullptr && ASN1_OCTET_STRING_set(value.get(), extension.value.data(),
                                                      static_cast<int>(extension.value.size())) == 1,
            "extension value");
    TRY_VOID(add_extension(
        x509, ExtensionPtr(X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), extension.critical ? 1 : 0, value.get()))));
  }
  return {};
}

// A DER definite length (X.690, 8.1.3).
void append_der(Bytes& out, std::uint8_t tag, ByteView content) {
  out.push_back(tag);
  const std::size_t size = content.size();
  if (size < 0x80) {
    out.push_back(static_cast<std::uint8_t>(size));
  } else {
    const int bytes = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
    out.push_back(static_cast<std::uint8_t>(0x80 | bytes));
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  append(out, content);
}

template <typename T>
Bytes encode(T* object, int (*encoder)(T*, std::uint8_t**)) {
  std::uint8_t* der = nullptr;
  const int size = encoder(object, &der);
  require(size > 0, "DER encoding");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

// X509_sign would choose a random nonce; here the signed part is combined with our own signature (RFC 5280, 4.1).
Bytes sign_certificate(X509* x509, const EcKey& issuer_key) {
  const int nid = issuer_key.curve() == Curve::kP256 ? NID_ecdsa_with_SHA256 : NID_ecdsa_with_SHA384;
  const Handle<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
  require(algorithm != nullptr && X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(nid), V_ASN1_UNDEF, nullptr) == 1 &&
              X509_ALGOR_copy(const_cast<X509_ALGOR*>(X509_get0_tbs_sigalg(x509)), algorithm.get()) == 1,
          "signature algorithm");
  const Bytes to_be_signed = encode<X509>(x509, i2d_re_X509_tbs);
  Bytes signature_bits{0};  // no unused bits
  append(signature_bits, encode_ecdsa_signature(issuer_key.sign(to_be_signed)));
  Bytes content = to_be_signed;
  append(content, encode<const X509_ALGOR>(algorithm.get(), i2d_X509_ALGOR));
  append_der(content, V_ASN1_BIT_STRING, signature_bits);
  Bytes out;
  append_der(out, V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, content);
  return out;
}

}  // namespace

ExtensionPtr make_alternative_names(const std::vector<std::string>& names) {
  const Handle<GENERAL_NAMES, GENERAL_NAMES_free> list(GENERAL_NAMES_new());
  require(list != nullptr, "no memory for names");
  for (const std::string& name : names) {
    GENERAL_NAME* entry = GENERAL_NAME_new();
    require(entry != nullptr && sk_GENERAL_NAME_push(list.get(), entry) > 0, "no memory for names");
    if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str()); address != nullptr) {
      GENERAL_NAME_set0_value(entry, GEN_IPADD, address);
      continue;
    }
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    require(text != nullptr && ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1, "DNS name");
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
  }
  return ExtensionPtr(X509V3_EXT_i2d(NID_subject_alt_name, 0, list.get()));
}

Result<Certificate> issue_certificate(const CertificateSpec& spec, const EcKey& subject_key, const EcKey& issuer_key) {
  const ErrorQueueGuard guard;
  const X509Ptr x509(X509_new());
  require(x509 != nullptr && X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
              X509_set_pubkey(x509.get(), subject_key.impl().key.get()) == 1,
          "new certificate");
  TRY(subject, make_name(spec.subject_common_name, spec.organization));
  TRY(issuer, make_name(spec.issuer_common_name, spec.organization));
  require(X509_set_subject_name(x509.get(), subject.get()) == 1 && X509_set_issuer_name(x509.get(), issuer.get()) == 1,
          "certificate names");
  TRY_VOID(set_serial(x509.get(), spec.serial));
  TRY_VOID(set_times(x509.get(), spec.not_before, spec.not_after));
  TRY_VOID(add_basic_constraints(x509.get(), spec));
  TRY_VOID(add_key_usage(x509.get(), spec.is_ca));
  TRY_VOID(add_key_identifiers(x509.get(), subject_key, issuer_key));
  TRY_VOID(add_alternative_names(x509.get(), spec.dns_names));
  TRY_VOID(add_custom_extensions(x509.get(), spec.extensions));
  return Certificate::from_der(sign_certificate(x509.get(), issuer_key));
}

}  // namespace cloister::crypto
