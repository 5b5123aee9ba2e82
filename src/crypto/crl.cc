#include "crypto/crl.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/encoding.h"
#include "crypto/certificate_handles.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kMostBytes = 4 * 1024 * 1024;
constexpr std::string_view kPemBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kPemEnd = "-----END X509 CRL-----";

using CrlPtr = Handle<X509_CRL, X509_CRL_free>;

Error bad_crl(const std::string& what) { return fail(ErrorCode::kBadCertificate, "revocation list: " + what); }

std::string dotted(const ASN1_OBJECT* oid) {
  char text[128] = {};
  OBJ_obj2txt(text, sizeof(text), oid, 1);
  return text;
}

// RFC 5280, 5.2 and 5.3: an application that does not understand a critical extension must not use the list.
Result<void> check_extension(X509_EXTENSION* extension, std::initializer_list<int> understood, std::set<Bytes>& seen) {
  const ASN1_OBJECT* oid = X509_EXTENSION_get_object(extension);
  const int nid = OBJ_obj2nid(oid);
  if (!seen.insert(to_bytes({OBJ_get0_data(oid), OBJ_length(oid)})).second) {
    return bad_crl("the extension " + dotted(oid) + " occurs twice");
  }
  if (nid == NID_delta_crl) return bad_crl("a delta list, which is not the whole list");
  if (nid == NID_issuing_distribution_point || nid == NID_certificate_issuer) {
    return bad_crl("the extension " + dotted(oid) + " may limit or redirect what is listed");
  }
  const bool known = std::find(understood.begin(), understood.end(), nid) != understood.end();
  if (X509_EXTENSION_get_critical(extension) != 0 && !known) {
    return bad_crl("the critical extension " + dotted(oid) + " is not understood");
  }
  return {};
}

Result<void> check_extensions(const X509_CRL* crl) {
  std::set<Bytes> seen;
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    TRY_VOID(check_extension(X509_CRL_get_ext(crl, i), {NID_crl_number, NID_authority_key_identifier}, seen));
  }
  return {};
}

Result<void> check_entry_extensions(const X509_REVOKED* entry) {
  std::set<Bytes> seen;
  for (int i = 0; i < X509_REVOKED_get_ext_count(entry); ++i) {
    TRY_VOID(check_extension(X509_REVOKED_get_ext(entry, i), {NID_crl_reason}, seen));
  }
  return {};
}

// Big-endian without leading zeros: equal for equal integers. A sign is left out, which can only revoke more.
Bytes magnitude(const ASN1_INTEGER* serial) {
  ByteView digits(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial)));
  while (!digits.empty() && digits.front() == 0) digits = digits.subspan(1);
  return to_bytes(digits);
}

Result<std::vector<Bytes>> read_serials(X509_CRL* crl) {
  std::vector<Bytes> serials;
  const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl);
  const int count = entries == nullptr ? 0 : sk_X509_REVOKED_num(entries);
  serials.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
    TRY_VOID(check_entry_extensions(entry));
    serials.push_back(magnitude(X509_REVOKED_get0_serialNumber(entry)));
  }
  std::sort(serials.begin(), serials.end());
  return serials;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

struct Crl::Impl {
  CrlPtr crl;
  UnixSeconds this_update;
  UnixSeconds next_update;
  std::vector<Bytes> serials;  // sorted
};

Crl::Crl(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Crl> Crl::from_der(ByteView der) {
  if (der.size() > kMostBytes) {
    return bad_crl("expected at most " + std::to_string(kMostBytes) + " bytes, got " + std::to_string(der.size()));
  }
  const ErrorQueueGuard guard;
  const std::uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  if (crl == nullptr) return bad_crl("not an X.509 revocation list in DER");
  if (at != der.data() + der.size()) return bad_crl("bytes follow its end");
  TRY_VOID(check_extensions(crl.get()));
  if (X509_CRL_get0_nextUpdate(crl.get()) == nullptr) return bad_crl("it has no nextUpdate");
  TRY(this_update, to_unix(X509_CRL_get0_lastUpdate(crl.get()), "revocation list's thisUpdate"));
  TRY(next_update, to_unix(X509_CRL_get0_nextUpdate(crl.get()), "revocation list's nextUpdate"));
  TRY(serials, read_serials(crl.get()));
  return Crl(std::make_shared<const Impl>(Impl{std::move(crl), this_update, next_update, std::move(serials)}));
}

std::string Crl::issuer_common_name() const { return common_name(X509_CRL_get_issuer(impl_->crl.get())); }
UnixSeconds Crl::this_update() const { return impl_->this_update; }
UnixSeconds Crl::next_update() const { return impl_->next_update; }
std::size_t Crl::size() const { return impl_->serials.size(); }

bool Crl::covers(const Certificate& certificate) const {
  return X509_NAME_cmp(X509_CRL_get_issuer(impl_->crl.get()), X509_get_issuer_name(certificate.impl().x509.get())) == 0;
}

bool Crl::lists(const Certificate& certificate) const {
  return std::binary_search(impl_->serials.begin(), impl_->serials.end(),
                            magnitude(X509_get0_serialNumber(certificate.impl().x509.get())));
}

Result<void> Crl::verify(const Certificate& issuer, Curve curve) const {
  const ErrorQueueGuard guard;
  X509_CRL* crl = impl_->crl.get();
  X509* ca = issuer.impl().x509.get();
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) != 0) {
    return bad_crl("its issuer is not the certificate authority that should have made it");
  }
  if ((X509_get_extension_flags(ca) & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(ca) & KU_CRL_SIGN) == 0) {
    return bad_crl("the key usage of its issuer does not include signing lists");
  }
  TRY(own, issuer.ec_curve());
  const int expected = curve == Curve::kP256 ? NID_ecdsa_with_SHA256 : NID_ecdsa_with_SHA384;
  if (own != curve || X509_CRL_get_signature_nid(crl) != expected) {
    return bad_crl(std::string("expected a signature by a key on ") + curve_name(curve) + " with its digest");
  }
  if (X509_CRL_verify(crl, issuer.impl().key()) != 1) {
    return fail(ErrorCode::kBadSignature, "revocation list: the signature does not verify under its issuer's key");
  }
  return {};
}

Result<Bytes> decode_crl(ByteView served) {
  // DER starts with the byte 0x30, hex of it with the characters "30".
  if (!served.empty() && served.front() == 0x30) return to_bytes(served);
  if (served.size() > 2 * kMostBytes) {
    return bad_crl("expected at most " + std::to_string(2 * kMostBytes) + " characters, got " +
                   std::to_string(served.size()));
  }
  std::string_view text = trimmed(as_text(served));
  if (!text.starts_with(kPemBegin)) return from_hex(text);
  if (!text.ends_with(kPemEnd) || text.size() < kPemBegin.size() + kPemEnd.size()) {
    return bad_crl("the PEM block does not end with " + std::string(kPemEnd));
  }
  text.remove_prefix(kPemBegin.size());
  text.remove_suffix(kPemEnd.size());
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r'; });
  return from_base64(digits);
}

}  // namespace cloister::crypto
