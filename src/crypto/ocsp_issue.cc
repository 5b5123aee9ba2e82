#include "crypto/certificate_handles.h"
#include "crypto/ocsp.h"
#include "crypto/ocsp_handles.h"

namespace cloister::crypto {

Result<Bytes> make_ocsp_response(const OcspResponseSpec& spec, const Certificate& certificate,
                                 const Certificate& issuer, const Certificate& responder, const EcKey& responder_key) {
  const ErrorQueueGuard guard;
  const OcspBasicPtr basic(OCSP_BASICRESP_new());
  const OcspCertIdPtr id(OCSP_cert_to_id(EVP_sha384(), certificate.impl().x509.get(), issuer.impl().x509.get()));
  const Asn1TimePtr this_update(ASN1_GENERALIZEDTIME_set(nullptr, spec.this_update));
  const Asn1TimePtr next_update(spec.next_update ? ASN1_GENERALIZEDTIME_set(nullptr, *spec.next_update) : nullptr);
  const Asn1TimePtr revoked(ASN1_GENERALIZEDTIME_set(nullptr, spec.this_update));
  require(basic != nullptr && id != nullptr && this_update != nullptr && revoked != nullptr, "no memory for OCSP");
  int status = V_OCSP_CERTSTATUS_UNKNOWN;
  int reason = OCSP_REVOKED_STATUS_KEYCOMPROMISE;
  switch (spec.status) {
    case OcspStatus::kGood: status = V_OCSP_CERTSTATUS_GOOD; break;
    case OcspStatus::kRevoked: status = V_OCSP_CERTSTATUS_REVOKED; break;
    case OcspStatus::kOnHold:
      status = V_OCSP_CERTSTATUS_REVOKED;
      reason = OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
      break;
    case OcspStatus::kUnknown: break;
  }
  if (OCSP_basic_add1_status(basic.get(), id.get(), status, reason, revoked.get(), this_update.get(),
                             next_update.get()) == nullptr) {
    return fail(ErrorCode::kCrypto, "the OCSP answer cannot be made");
  }
  if (!spec.nonce.empty()) {
    Bytes nonce = spec.nonce;
    require(OCSP_basic_add1_nonce(basic.get(), nonce.data(), static_cast<int>(nonce.size())) == 1, "OCSP nonce");
  }
  for (const Certificate& included : spec.included) {
    require(OCSP_basic_add1_cert(basic.get(), with_key(included).get()) == 1, "OCSP certificate");
  }
  if (OCSP_basic_sign(basic.get(), with_key(responder).get(), responder_key.impl().key.get(),
                      curve_digest(responder_key.curve()), nullptr, OCSP_NOCERTS) != 1) {
    return fail(ErrorCode::kCrypto, "the OCSP response cannot be signed");
  }
  const OcspResponsePtr response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  std::uint8_t* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  require(size > 0, "OCSP response");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

}  // namespace cloister::crypto
