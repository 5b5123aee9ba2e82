#include "crypto/document_signature.h"

#include "crypto/certificate_handles.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

// One signature has one spelling.
bool is_canonical(ByteView signature) {
  const std::uint8_t* at = signature.data();
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
  if (parsed == nullptr || at != signature.data() + signature.size()) return false;
  std::uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(parsed.get(), &der);
  if (size <= 0) return false;
  const bool same = equal(ByteView(der, static_cast<std::size_t>(size)), signature);
  OPENSSL_free(der);
  return same;
}

}  // namespace

Result<void> verify_document_signature(const Certificate& signer, ByteView document, ByteView signature) {
  constexpr std::size_t kMostSignature = 144;
  TRY_VOID(signer.ec_curve());
  const ErrorQueueGuard guard;
  if (signature.size() > kMostSignature || !is_canonical(signature)) {
    return fail(ErrorCode::kBadSignature, "not an ECDSA signature in DER");
  }
  const DigestCtxPtr context(EVP_MD_CTX_new());
  require(context != nullptr &&
              EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, signer.impl().key()) == 1,
          "ECDSA verification");
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), document.data(), document.size()) != 1) {
    return fail(ErrorCode::kBadSignature, "the signature of the document does not verify");
  }
  return {};
}

}  // namespace cloister::crypto
