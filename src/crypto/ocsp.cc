#include "crypto/ocsp.h"

#include <array>
#include <chrono>

#include "crypto/certificate_handles.h"
#include "crypto/curve_calls.h"
#include "crypto/ocsp_handles.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kMostResponseBytes = 64 * 1024;
constexpr int kMostAnswers = 16;
constexpr int kMostCertificates = 8;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadOcsp, "OCSP response: " + what); }

Result<UnixSeconds> to_unix(const ASN1_GENERALIZEDTIME* time, const char* name) {
  // OpenSSL's own comparison is not used, since it reads the clock.
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return malformed(std::string(name) + " is not a time");
  const std::int64_t year = parts.tm_year + 1900;
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(year)),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday)));
  if (!day.ok()) return malformed(std::string(name) + " is not a date");
  const std::int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
}

// True when the CertID names this certificate; the digest is the one that the CertID itself uses, if it is allowed.
bool names(const OCSP_CERTID* id, const Certificate& certificate, const Certificate& issuer) {
  ASN1_INTEGER* serial = nullptr;
  // Cheap checks come first, since whoever brings the responses may bring many.
  if (OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial, const_cast<OCSP_CERTID*>(id)) != 1 ||
      ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate.impl().x509.get())) != 0) {
    return false;
  }
  const std::array<const EVP_MD*, 3> allowed = {EVP_sha1(), EVP_sha256(), EVP_sha384()};
  for (const EVP_MD* digest : allowed) {
    const OcspCertIdPtr own(OCSP_cert_to_id(digest, certificate.impl().x509.get(), issuer.impl().x509.get()));
    if (own != nullptr && OCSP_id_cmp(own.get(), id) == 0) return true;
  }
  return false;
}

Result<void> refuse_critical(int first_critical, const char* where) {
  if (first_critical < 0) return {};
  return malformed(std::string("a critical extension of ") + where + " is not understood");
}

Result<Certificate> to_certificate(const X509* x509) {
  std::uint8_t* der = nullptr;
  const int size = i2d_X509(x509, &der);
  if (size <= 0) return malformed("a certificate cannot be read");
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return Certificate::from_der(bytes);
}

bool may_sign_responses(const Certificate& responder) {
  X509* x509 = responder.impl().x509.get();
  const std::uint32_t flags = X509_get_extension_flags(x509);
  if ((flags & (EXFLAG_INVALID | EXFLAG_CA)) != 0 || (flags & EXFLAG_XKUSAGE) == 0) return false;
  if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) == 0) return false;
  return (X509_get_extended_key_usage(x509) & XKU_OCSP_SIGN) != 0;
}

// RFC 6960, 4.2.2.2: a delegated responder. Its key usages may be critical, other extensions may not.
Result<void> check_delegate(const Certificate& responder, std::span<const Certificate> issuers, VerifiedLinks* cache) {
  if (!may_sign_responses(responder)) return malformed("its signer is not meant to sign OCSP responses");
  X509* x509 = responder.impl().x509.get();
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    X509_EXTENSION* extension = X509_get_ext(x509, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_basic_constraints && nid != NID_key_usage &&
        nid != NID_ext_key_usage) {
      return malformed("its signer has a critical extension that is not understood");
    }
  }
  for (const Certificate& issuer : issuers) {
    if (!check_names_issuer(responder, issuer)) continue;
    if (cache != nullptr && cache->holds(responder, issuer)) return {};
    if (!is_signed_by(responder, issuer)) continue;
    if (cache != nullptr) cache->add(responder, issuer);
    return {};
  }
  return malformed("its signer was issued by none of the certificates above the one it is about");
}

}  // namespace

struct OcspResponse::Impl {
  OcspBasicPtr basic;
};

OcspResponse::OcspResponse(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

std::string_view to_text(OcspStatus status) {
  switch (status) {
    case OcspStatus::kGood: return "good";
    case OcspStatus::kRevoked: return "revoked";
    case OcspStatus::kOnHold: return "certificate hold";
    case OcspStatus::kUnknown: return "unknown";
  }
  return "unknown";
}

Result<Bytes> make_ocsp_request(const Certificate& certificate, const Certificate& issuer, ByteView nonce) {
  const ErrorQueueGuard guard;
  if (nonce.size() > 32) return fail(ErrorCode::kBadOcsp, "an OCSP nonce has at most 32 bytes");
  const OcspRequestPtr request(OCSP_REQUEST_new());
  OcspCertIdPtr id(OCSP_cert_to_id(EVP_sha384(), certificate.impl().x509.get(), issuer.impl().x509.get()));
  require(request != nullptr, "no memory for an OCSP request");
  if (id == nullptr || OCSP_request_add0_id(request.get(), id.get()) == nullptr) {
    return fail(ErrorCode::kBadOcsp, "the certificate cannot be asked about");
  }
  (void)id.release();  // the request owns it now
  if (!nonce.empty()) {
    Bytes copy = to_bytes(nonce);
    require(OCSP_request_add1_nonce(request.get(), copy.data(), static_cast<int>(copy.size())) == 1, "OCSP nonce");
  }
  std::uint8_t* der = nullptr;
  const int size = i2d_OCSP_REQUEST(request.get(), &der);
  require(size > 0, "OCSP request");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Result<OcspResponse> OcspResponse::from_der(ByteView der) {
  const ErrorQueueGuard guard;
  if (der.size() > kMostResponseBytes) return malformed("expected at most 65536 bytes");
  const std::uint8_t* at = der.data();
  const OcspResponsePtr outer(d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  if (outer == nullptr) return malformed("not DER");
  if (at != der.data() + der.size()) return malformed("bytes follow it");
  if (const int status = OCSP_response_status(outer.get()); status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return malformed(std::string("expected the status successful, got ") + OCSP_response_status_str(status));
  }
  OcspBasicPtr basic(OCSP_response_get1_basic(outer.get()));
  if (basic == nullptr) return malformed("not of the basic kind");
  const int answers = OCSP_resp_count(basic.get());
  if (answers < 1 || answers > kMostAnswers)
    return malformed("expected 1 to 16 answers, got " + std::to_string(answers));
  if (sk_X509_num(OCSP_resp_get0_certs(basic.get())) > kMostCertificates) return malformed("more than 8 certificates");
  return OcspResponse(std::make_shared<const Impl>(Impl{std::move(basic)}));
}

bool OcspResponse::is_about(const Certificate& certificate, const Certificate& issuer) const {
  const ErrorQueueGuard guard;
  for (int i = 0; i < OCSP_resp_count(impl_->basic.get()); ++i) {
    if (names(OCSP_SINGLERESP_get0_id(OCSP_resp_get0(impl_->basic.get(), i)), certificate, issuer)) return true;
  }
  return false;
}

namespace {

// The certificates in it belong to other owners.
void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

// The certificate that the response names, by name or key, as its signer's: the issuer, or one that comes with the response.
Result<Certificate> find_signer(OCSP_BASICRESP* basic, const Certificate& issuer) {
  const Handle<STACK_OF(X509), free_stack> extra(sk_X509_new_null());
  require(extra != nullptr && sk_X509_push(extra.get(), issuer.impl().x509.get()) > 0, "no memory");
  X509* signer = nullptr;  // belongs to `extra` or to the response
  if (OCSP_resp_get0_signer(basic, &signer, extra.get()) != 1 || signer == nullptr) {
    return malformed("the certificate of its signer is not here");
  }
  return to_certificate(signer);
}

Result<void> check_signature(OCSP_BASICRESP* basic, const Certificate& signer) {
  const Result<Curve> curve = signer.ec_curve();
  if (!curve) return malformed("its signer: " + curve.error().message);
  const X509_ALGOR* algorithm = OCSP_resp_get0_tbs_sigalg(basic);
  const int expected = *curve == Curve::kP256 ? NID_ecdsa_with_SHA256 : NID_ecdsa_with_SHA384;
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  if (OBJ_obj2nid(oid) != expected) return malformed("signed with another algorithm than its signer's key is for");
  const ASN1_BIT_STRING* signature = OCSP_resp_get0_signature(basic);
  std::uint8_t* signed_der = nullptr;
  const int size = i2d_OCSP_RESPDATA(const_cast<OCSP_RESPDATA*>(OCSP_resp_get0_respdata(basic)), &signed_der);
  require(size > 0, "encoding an OCSP response");
  constexpr long kUnusedBits = 7;
  const bool good =
      (signature->flags & kUnusedBits) == 0 &&
      is_message_signed(*curve, signer.impl().public_key.point, {signed_der, static_cast<std::size_t>(size)},
                        {ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))});
  OPENSSL_free(signed_der);
  if (!good) {
    return fail(ErrorCode::kBadSignature, "OCSP response: the signature does not verify");
  }
  return {};
}

Result<OcspAnswer> read_answer(OCSP_SINGLERESP* single) {
  TRY_VOID(refuse_critical(OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1), "the answer"));
  int reason = 0;
  ASN1_GENERALIZEDTIME *revoked = nullptr, *this_update = nullptr, *next_update = nullptr;
  OcspAnswer answer;
  switch (OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update)) {
    case V_OCSP_CERTSTATUS_GOOD: answer.status = OcspStatus::kGood; break;
    case V_OCSP_CERTSTATUS_REVOKED:
      answer.status = reason == OCSP_REVOKED_STATUS_CERTIFICATEHOLD ? OcspStatus::kOnHold : OcspStatus::kRevoked;
      break;
    default: answer.status = OcspStatus::kUnknown; break;
  }
  TRY(from, to_unix(this_update, "thisUpdate"));
  answer.this_update = from;
  if (next_update != nullptr) {
    TRY(until, to_unix(next_update, "nextUpdate"));
    answer.next_update = until;
  }
  return answer;
}

// The extension's value is an OCTET STRING (RFC 8954); the bytes inside count.
Result<std::optional<Bytes>> read_nonce(OCSP_BASICRESP* basic) {
  const int at = OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, -1);
  if (at < 0) return std::optional<Bytes>();
  if (OCSP_BASICRESP_get_ext_by_NID(basic, NID_id_pkix_OCSP_Nonce, at) >= 0) return malformed("two nonces");
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic, at));
  const std::uint8_t* data = ASN1_STRING_get0_data(value);
  const std::uint8_t* const end = data + ASN1_STRING_length(value);
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> inner(d2i_ASN1_OCTET_STRING(nullptr, &data, end - data));
  if (inner == nullptr || data != end) return malformed("the nonce is not an OCTET STRING");
  return std::optional(
      to_bytes({ASN1_STRING_get0_data(inner.get()), static_cast<std::size_t>(ASN1_STRING_length(inner.get()))}));
}

}  // namespace

Result<void> check_ocsp_window(const OcspAnswer& answer, UnixSeconds time) {
  if (time < answer.this_update) {
    return fail(ErrorCode::kBadOcsp,
                "OCSP response: of " + to_rfc3339(answer.this_update) + ", judged at " + to_rfc3339(time));
  }
  if (answer.next_update && time >= *answer.next_update) {
    return fail(ErrorCode::kBadOcsp,
                "OCSP response: good until " + to_rfc3339(*answer.next_update) + ", judged at " + to_rfc3339(time));
  }
  if (answer.signer_not_after && (time < *answer.signer_not_before || time > *answer.signer_not_after)) {
    return malformed("its signer is valid from " + to_rfc3339(*answer.signer_not_before) + " until " +
                     to_rfc3339(*answer.signer_not_after) + ", judged at " + to_rfc3339(time));
  }
  return {};
}

Result<OcspAnswer> OcspResponse::verify(const Certificate& certificate, std::span<const Certificate> issuers,
                                        VerifiedLinks* cache) const {
  const ErrorQueueGuard guard;
  OCSP_BASICRESP* basic = impl_->basic.get();
  if (issuers.empty()) return malformed("no issuer to judge it by");
  OCSP_SINGLERESP* single = nullptr;
  for (int i = 0; i < OCSP_resp_count(basic); ++i) {
    OCSP_SINGLERESP* candidate = OCSP_resp_get0(basic, i);
    if (!names(OCSP_SINGLERESP_get0_id(candidate), certificate, issuers[0])) continue;
    if (single != nullptr) return malformed("two answers about one certificate");
    single = candidate;
  }
  if (single == nullptr) return malformed("about another certificate");
  TRY_VOID(refuse_critical(OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1), "the response"));
  TRY(signer, find_signer(basic, issuers[0]));
  const bool delegated = signer.der() != issuers[0].der();
  if (delegated) TRY_VOID(check_delegate(signer, issuers, cache));
  TRY_VOID(check_signature(basic, signer));
  TRY(answer, read_answer(single));
  TRY(nonce, read_nonce(basic));
  answer.nonce = std::move(nonce);
  if (delegated) {
    answer.signer_not_before = signer.not_before();
    answer.signer_not_after = signer.not_after();
  }
  return answer;
}

}  // namespace cloister::crypto
