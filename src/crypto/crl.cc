#include "crypto/crl.h"

#include <openssl/asn1t.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "base/encoding.h"
#include "crypto/certificate_handles.h"

namespace cloister::crypto {
namespace {

// CertificateList (RFC 5280, 5.1) with its entries left unparsed: the library's own X509_CRL decodes each entry and its
// extensions, which takes four times as long as everything else here.
struct TbsCertList {
  ASN1_INTEGER* version;
  X509_ALGOR* algorithm;
  X509_NAME* issuer;
  ASN1_TIME* this_update;
  ASN1_TIME* next_update;
  STACK_OF(ASN1_TYPE) * revoked;
  STACK_OF(X509_EXTENSION) * extensions;
};
struct CertificateList {
  TbsCertList* tbs;
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* signature;
};
// clang-format off
ASN1_SEQUENCE(TbsCertList) = {
  ASN1_OPT(TbsCertList, version, ASN1_INTEGER),
  ASN1_SIMPLE(TbsCertList, algorithm, X509_ALGOR),
  ASN1_SIMPLE(TbsCertList, issuer, X509_NAME),
  ASN1_SIMPLE(TbsCertList, this_update, ASN1_TIME),
  ASN1_OPT(TbsCertList, next_update, ASN1_TIME),
  ASN1_SEQUENCE_OF_OPT(TbsCertList, revoked, ASN1_ANY),
  ASN1_EXP_SEQUENCE_OF_OPT(TbsCertList, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(TbsCertList)
ASN1_SEQUENCE(CertificateList) = {
  ASN1_SIMPLE(CertificateList, tbs, TbsCertList),
  ASN1_SIMPLE(CertificateList, algorithm, X509_ALGOR),
  ASN1_SIMPLE(CertificateList, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CertificateList)
    // clang-format on

    void free_list(CertificateList * list) {
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(list), ASN1_ITEM_rptr(CertificateList));
}
using ListPtr = Handle<CertificateList, free_list>;

constexpr std::size_t kMostBytes = 4 * 1024 * 1024;
constexpr std::string_view kPemBegin = "-----BEGIN X509 CRL-----";
constexpr std::string_view kPemEnd = "-----END X509 CRL-----";

using RevokedPtr = Handle<X509_REVOKED, X509_REVOKED_free>;

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

Result<void> check_list_extensions(const STACK_OF(X509_EXTENSION) * extensions) {
  std::set<Bytes> seen;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    TRY_VOID(
        check_extension(sk_X509_EXTENSION_value(extensions, i), {NID_crl_number, NID_authority_key_identifier}, seen));
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

ByteView without_zeros(ByteView digits) {
  while (!digits.empty() && digits.front() == 0) digits = digits.subspan(1);
  return digits;
}

// Big-endian without leading zeros: equal for equal integers. A sign is dropped, which can only revoke more.
Bytes magnitude(const ASN1_INTEGER* serial) {
  return to_bytes(without_zeros({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))}));
}

// The next element of DER: its tag and content. Absent when it is malformed.
struct Element {
  int tag = 0;
  ByteView content;
};
std::optional<Element> take_element(ByteView& rest) {
  const std::uint8_t* at = rest.data();
  long size = 0;
  Element out;
  int kind = 0;
  const int form = ASN1_get_object(&at, &size, &out.tag, &kind, static_cast<long>(rest.size()));
  constexpr int kErrorOrIndefinite = 0x81;
  if ((form & kErrorOrIndefinite) != 0 || kind != V_ASN1_UNIVERSAL) return std::nullopt;
  out.content = {at, static_cast<std::size_t>(size)};
  rest = rest.subspan(static_cast<std::size_t>(at - rest.data()) + out.content.size());
  return out;
}

// The serial number of an entry in the usual form: no extension, or the reason code alone. Absent for any other form.
std::optional<Bytes> read_usual_entry(ByteView der) {
  constexpr std::array<std::uint8_t, 13> kReasonCode = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
                                                        0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
  const auto entry = take_element(der);
  if (!entry || entry->tag != V_ASN1_SEQUENCE || !der.empty()) return std::nullopt;
  ByteView rest = entry->content;
  const auto serial = take_element(rest);
  const auto date = take_element(rest);
  if (!serial || serial->tag != V_ASN1_INTEGER || serial->content.empty() || (serial->content.front() & 0x80) != 0) {
    return std::nullopt;
  }
  if (!date || (date->tag != V_ASN1_UTCTIME && date->tag != V_ASN1_GENERALIZEDTIME)) return std::nullopt;
  const bool reason_only = rest.size() == kReasonCode.size() + 1 && equal(rest.first(kReasonCode.size()), kReasonCode);
  if (!rest.empty() && !reason_only) return std::nullopt;
  return to_bytes(without_zeros(serial->content));
}

// The serial number of one entry, once everything in the entry is understood.
Result<Bytes> read_entry(const ASN1_TYPE* raw) {
  if (ASN1_TYPE_get(raw) != V_ASN1_SEQUENCE) return bad_crl("an entry is malformed");
  const ASN1_STRING* der = raw->value.sequence;
  const ByteView bytes(ASN1_STRING_get0_data(der), static_cast<std::size_t>(ASN1_STRING_length(der)));
  // Lists are long, and the library's own parser takes ten times as long.
  if (auto usual = read_usual_entry(bytes)) return *std::move(usual);
  const std::uint8_t* at = bytes.data();
  const RevokedPtr entry(d2i_X509_REVOKED(nullptr, &at, static_cast<long>(bytes.size())));
  if (entry == nullptr || at != bytes.data() + bytes.size()) return bad_crl("an entry is malformed");
  TRY_VOID(check_entry_extensions(entry.get()));
  return magnitude(X509_REVOKED_get0_serialNumber(entry.get()));
}

Result<std::vector<Bytes>> read_serials(const STACK_OF(ASN1_TYPE) * entries) {
  std::vector<Bytes> serials;
  const int count = entries == nullptr ? 0 : sk_ASN1_TYPE_num(entries);
  serials.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    TRY(serial, read_entry(sk_ASN1_TYPE_value(entries, i)));
    serials.push_back(std::move(serial));
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
  ListPtr list;
  Bytes der;
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
  ListPtr list(reinterpret_cast<CertificateList*>(
      ASN1_item_d2i(nullptr, &at, static_cast<long>(der.size()), ASN1_ITEM_rptr(CertificateList))));
  if (list == nullptr) return bad_crl("not an X.509 revocation list in DER");
  if (at != der.data() + der.size()) return bad_crl("bytes follow its end");
  const TbsCertList& tbs = *list->tbs;
  TRY_VOID(check_list_extensions(tbs.extensions));
  if (tbs.next_update == nullptr) return bad_crl("it has no nextUpdate");
  TRY(this_update, to_unix(tbs.this_update, "revocation list's thisUpdate"));
  TRY(next_update, to_unix(tbs.next_update, "revocation list's nextUpdate"));
  TRY(serials, read_serials(tbs.revoked));
  return Crl(
      std::make_shared<const Impl>(Impl{std::move(list), to_bytes(der), this_update, next_update, std::move(serials)}));
}

std::string Crl::issuer_common_name() const { return common_name(impl_->list->tbs->issuer); }
UnixSeconds Crl::this_update() const { return impl_->this_update; }
UnixSeconds Crl::next_update() const { return impl_->next_update; }
std::size_t Crl::size() const { return impl_->serials.size(); }

bool Crl::covers(const Certificate& certificate) const {
  return X509_NAME_cmp(impl_->list->tbs->issuer, X509_get_issuer_name(certificate.impl().x509.get())) == 0;
}

bool Crl::lists(const Certificate& certificate) const {
  return std::binary_search(impl_->serials.begin(), impl_->serials.end(),
                            magnitude(X509_get0_serialNumber(certificate.impl().x509.get())));
}

Result<void> Crl::verify(const Certificate& issuer, Curve curve) const {
  const ErrorQueueGuard guard;
  const CertificateList& list = *impl_->list;
  X509* ca = issuer.impl().x509.get();
  if (X509_NAME_cmp(list.tbs->issuer, X509_get_subject_name(ca)) != 0) {
    return bad_crl("its issuer is not the certificate authority that should have made it");
  }
  if ((X509_get_extension_flags(ca) & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(ca) & KU_CRL_SIGN) == 0) {
    return bad_crl("the key usage of its issuer does not include signing lists");
  }
  TRY(own, issuer.ec_curve());
  if (own != curve || !is_ecdsa_with(curve, list.algorithm)) {
    return bad_crl(std::string("expected a signature by a key on ") + curve_name(curve) + " with its digest");
  }
  if (!is_signed_by({list.tbs->algorithm, list.algorithm, list.signature, impl_->der}, issuer)) {
    return fail(ErrorCode::kBadSignature, "revocation list: the signature does not verify under its issuer's key");
  }
  return {};
}

Result<Bytes> decode_crl(ByteView served) {
  // DER starts with the byte 0x30, and hex of DER with the characters "30".
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
