#include "crypto/document_signature.h"

#include "crypto/certificate_handles.h"
#include "crypto/curve_calls.h"

namespace cloister::crypto {
Result<void> verify_document_signature(const Certificate& signer, ByteView document, ByteView signature) {
  constexpr std::size_t kMostSignature = 144;
  TRY(curve, signer.ec_curve());
  const Sha256Digest digest = sha256(document);
  if (signature.size() > kMostSignature ||
      aws_lc::verify_ecdsa_der(aws_lc_curve(curve), signer.impl().public_key.point.data(), view_of(digest),
                               view_of(signature)) != aws_lc::Verdict::kGood) {
    return fail(ErrorCode::kBadSignature, "the signature of the document does not verify");
  }
  return {};
}

}  // namespace cloister::crypto
