#include "crypto/rsa_signature.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

constexpr std::size_t kLeastModulus = 256;
constexpr std::size_t kMostModulus = 512;
constexpr unsigned long kExponent = 65537;

PkeyPtr make_key(ByteView modulus) {
  const BignumPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  require(n != nullptr && builder != nullptr &&
              OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
              OSSL_PARAM_BLD_push_ulong(builder.get(), OSSL_PKEY_PARAM_RSA_E, kExponent) == 1,
          "RSA key parameters");
  const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  require(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "RSA key import");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return nullptr;
  return PkeyPtr(key);
}

}  // namespace

Result<void> verify_rsa_sha256(ByteView modulus, ByteView message, ByteView signature) {
  if (modulus.size() < kLeastModulus || modulus.size() > kMostModulus || (modulus[0] & 0x80) == 0 ||
      (modulus.back() & 1) == 0) {
    return fail(ErrorCode::kBadKey, "expected an RSA modulus of 2048 to 4096 bits");
  }
  if (signature.size() != modulus.size()) {
    return fail(ErrorCode::kBadSignature, "an RSA signature under this key has " + std::to_string(modulus.size()) +
                                              " bytes, got " + std::to_string(signature.size()));
  }
  const ErrorQueueGuard guard;
  const PkeyPtr key = make_key(modulus);
  if (key == nullptr) return fail(ErrorCode::kBadKey, "not an RSA public key");
  const DigestCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // owned by the context
  require(context != nullptr && EVP_DigestVerifyInit(context.get(), &settings, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1,
          "RSA verification");
  if (EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) != 1) {
    return fail(ErrorCode::kBadSignature, "the RSA signature does not verify");
  }
  return {};
}

}  // namespace cloister::crypto
