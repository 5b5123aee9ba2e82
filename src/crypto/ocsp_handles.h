// Private to src/crypto: owning handles for OpenSSL's OCSP objects.
#pragma once

#include <openssl/ocsp.h>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {

using OcspRequestPtr = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;
using OcspResponsePtr = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using OcspBasicPtr = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using OcspCertIdPtr = Handle<OCSP_CERTID, OCSP_CERTID_free>;
using Asn1TimePtr = Handle<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;

}  // namespace cloister::crypto
