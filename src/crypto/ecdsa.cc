#include "crypto/ecdsa.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>

#include "crypto/certificate_handles.h"
#include "crypto/curve_calls.h"
#include "crypto/ecdsa_deterministic.h"
#include "crypto/hash.h"
#include "crypto/known_certificates.h"
#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

// NIST group orders, big-endian (FIPS 186-4, D.1.2).
constexpr ByteArray<32> kOrderP256 = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                      0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr ByteArray<48> kOrderP384 = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
                                      0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

ByteView group_order(Curve curve) { return curve == Curve::kP256 ? ByteView(kOrderP256) : ByteView(kOrderP384); }

Result<void> check_scalar(ByteView scalar, Curve curve, const char* name) {
  if (std::all_of(scalar.begin(), scalar.end(), [](std::uint8_t b) { return b == 0; })) {
    return fail(ErrorCode::kBadSignature, std::string("the ECDSA signature has ") + name + " = 0");
  }
  const ByteView order = group_order(curve);
  if (!std::lexicographical_compare(scalar.begin(), scalar.end(), order.begin(), order.end())) {
    return fail(ErrorCode::kBadSignature,
                std::string("the ECDSA signature's ") + name + " is not below the order of " + curve_name(curve));
  }
  return {};
}

// Makes a key from its point (0x04 || x || y) and, for a private key, its scalar. Null when the point is not on the curve.
PkeyPtr make_key(Curve curve, ByteView encoded_point, const BIGNUM* scalar) {
  const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  require(builder != nullptr &&
              OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve_name(curve), 0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded_point.data(),
                                               encoded_point.size()) == 1 &&
              (scalar == nullptr || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1),
          "EC key parameters");
  const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  require(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1, "EC key import");
  EVP_PKEY* key = nullptr;
  const int selection = scalar == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) return nullptr;
  return PkeyPtr(key);
}

Bytes encode_point(ByteView coordinates) {
  Bytes out{POINT_CONVERSION_UNCOMPRESSED};
  append(out, coordinates);
  return out;
}

// A key that has a curve and nothing else. It is never freed.
const EVP_PKEY* bare_key(Curve curve) {
  const auto make = [](const char* name) {
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(name), 0), OSSL_PARAM_END};
    const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
    EVP_PKEY* key = nullptr;
    require(
        context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, const_cast<OSSL_PARAM*>(parameters)) == 1,
        "EC key parameters");
    return key;
  };
  static const EVP_PKEY* const p256 = make(curve_name(Curve::kP256));
  static const EVP_PKEY* const p384 = make(curve_name(Curve::kP384));
  return curve == Curve::kP256 ? p256 : p384;
}

}  // namespace

// Copies a key of the same curve: importing one costs the library four times as much.
PkeyPtr make_public_key(Curve curve, ByteView point) {
  const Bytes encoded = encode_point(point);
  PkeyPtr key(EVP_PKEY_dup(const_cast<EVP_PKEY*>(bare_key(curve))));
  require(key != nullptr, "no memory for a key");
  if (EVP_PKEY_set1_encoded_public_key(key.get(), encoded.data(), encoded.size()) != 1) return nullptr;
  return key;
}

Bytes encode_ecdsa_signature(ByteView raw) {
  const std::size_t half = raw.size() / 2;
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(raw.data(), static_cast<int>(half), nullptr));
  BignumPtr s(BN_bin2bn(raw.data() + half, static_cast<int>(half), nullptr));
  require(signature != nullptr && r != nullptr && s != nullptr, "no memory for a signature");
  require(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1, "ECDSA signature");
  std::uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  require(size > 0, "ECDSA signature encoding");
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Result<Curve> pkey_curve(const EVP_PKEY* key) {
  char name[80] = {};
  std::size_t size = 0;
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1) return fail(ErrorCode::kBadKey, "not an EC key");
  int explicit_parameters = 0;
  // A key that spells out its own curve could choose the base point (CVE-2020-0601).
  if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters) == 1 &&
      explicit_parameters != 0) {
    return fail(ErrorCode::kBadKey, "the EC key spells out its curve parameters instead of naming the curve");
  }
  if (EVP_PKEY_get_group_name(key, name, sizeof(name), &size) == 1) {
    const int nid = OBJ_txt2nid(name);
    if (nid == NID_X9_62_prime256v1) return Curve::kP256;
    if (nid == NID_secp384r1) return Curve::kP384;
  }
  return fail(ErrorCode::kBadKey, "expected an EC key on P-256 or P-384");
}

Result<Bytes> pkey_point(const EVP_PKEY* key, Curve curve) {
  Bytes encoded(1 + 2 * coordinate_size(curve));
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size(), &size) != 1 ||
      size != encoded.size() || encoded[0] != POINT_CONVERSION_UNCOMPRESSED) {
    return fail(ErrorCode::kBadKey, std::string("expected an uncompressed point on ") + curve_name(curve));
  }
  encoded.erase(encoded.begin());
  return encoded;
}

EcKey::EcKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EcKey::EcKey(EcKey&&) noexcept = default;
EcKey& EcKey::operator=(EcKey&&) noexcept = default;
EcKey::~EcKey() = default;

Result<EcKey> EcKey::derive(Curve curve, ByteView seed, std::string_view label) {
  const ErrorQueueGuard guard;
  const ByteView order_bytes = group_order(curve);
  const SecretBytes wide = hkdf_sha256(seed, {}, label, order_bytes.size() + 8);
  const BnCtxPtr scratch(BN_CTX_secure_new());
  const BignumPtr order(BN_bin2bn(order_bytes.data(), static_cast<int>(order_bytes.size()), nullptr));
  const BignumPtr scalar(BN_bin2bn(wide.expose().data(), static_cast<int>(wide.size()), nullptr));
  const EcGroupPtr group(EC_GROUP_new_by_curve_name(curve_nid(curve)));
  require(scratch != nullptr && order != nullptr && scalar != nullptr && group != nullptr, "no memory for a key");
  // 64 bits more than the order make the bias of the reduction negligible (FIPS 186-4, B.4.1): 1 <= scalar < order.
  require(BN_sub_word(order.get(), 1) == 1 && BN_nnmod(scalar.get(), scalar.get(), order.get(), scratch.get()) == 1 &&
              BN_add_word(scalar.get(), 1) == 1,
          "EC scalar");
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  const EcPointPtr point(EC_POINT_new(group.get()));
  Bytes encoded(1 + 2 * coordinate_size(curve));
  require(point != nullptr &&
              EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, scratch.get()) == 1 &&
              EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(),
                                 encoded.size(), scratch.get()) == encoded.size(),
          "EC public key");
  auto impl = std::make_unique<Impl>(Impl{make_key(curve, encoded, scalar.get()), curve});
  require(impl->key != nullptr, "EC key import");
  return EcKey(std::move(impl));
}

Result<EcKey> EcKey::generate(Curve curve) {
  const ErrorQueueGuard guard;
  PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve_name(curve)));
  if (key == nullptr) return fail(ErrorCode::kCrypto, std::string("cannot make a key on ") + curve_name(curve));
  return EcKey(std::make_unique<Impl>(Impl{std::move(key), curve}));
}

Result<EcKey> EcKey::from_pem(std::string_view pem) {
  const ErrorQueueGuard guard;
  constexpr std::size_t kMost = 64 * 1024;
  if (pem.size() > kMost) return fail(ErrorCode::kTooLarge, "a PEM key has at most 65536 bytes");
  const BioPtr source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(source != nullptr, "no memory for a key");
  // Without this callback an encrypted key would make the library ask for a password on the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  PkeyPtr key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr));
  if (key == nullptr) return fail(ErrorCode::kBadKey, "not an unencrypted PEM private key");
  TRY(curve, pkey_curve(key.get()));
  TRY_VOID(pkey_point(key.get(), curve));
  return EcKey(std::make_unique<Impl>(Impl{std::move(key), curve}));
}

Curve EcKey::curve() const { return impl_->curve; }

Bytes EcKey::public_point() const {
  Result<Bytes> point = pkey_point(impl_->key.get(), impl_->curve);
  require(point.has_value(), "EC public point");
  return *std::move(point);
}

Bytes EcKey::sign(ByteView message) const { return sign_deterministic(*impl_, message); }

std::string EcKey::to_pem() const {
  const BioPtr sink(BIO_new(BIO_s_secmem()));
  require(sink != nullptr &&
              PEM_write_bio_PKCS8PrivateKey(sink.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(sink.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

namespace {

Result<void> check_signature_form(Curve curve, ByteView signature) {
  const std::size_t size = 2 * coordinate_size(curve);
  if (signature.size() != size) {
    return fail(ErrorCode::kBadSignature, std::string("an ECDSA signature on ") + curve_name(curve) + " has " +
                                              std::to_string(size) + " bytes, got " + std::to_string(signature.size()));
  }
  TRY_VOID(check_scalar(signature.first(size / 2), curve, "r"));
  return check_scalar(signature.subspan(size / 2), curve, "s");
}

Result<void> verify_under(Curve curve, ByteView point, ByteView message, ByteView signature) {
  switch (verify_message(curve, point, message, signature)) {
    case aws_lc::Verdict::kGood: return {};
    case aws_lc::Verdict::kBadPoint:
      return fail(ErrorCode::kBadKey, std::string("the public key is not a point on ") + curve_name(curve));
    case aws_lc::Verdict::kBadSignature: break;
  }
  return fail(ErrorCode::kBadSignature,
              std::string("the ECDSA signature on ") + curve_name(curve) + " does not verify");
}

}  // namespace

Result<void> verify_ecdsa(Curve curve, ByteView public_point, ByteView message, ByteView signature) {
  const std::size_t size = 2 * coordinate_size(curve);
  if (public_point.size() != size) {
    return fail(ErrorCode::kBadKey, std::string("a public key on ") + curve_name(curve) + " has " +
                                        std::to_string(size) + " bytes, got " + std::to_string(public_point.size()));
  }
  TRY_VOID(check_signature_form(curve, signature));
  return verify_under(curve, public_point, message, signature);
}

Result<void> verify_ecdsa_by(const Certificate& signer, Curve curve, ByteView message, ByteView signature) {
  TRY(own, signer.ec_curve());
  if (own != curve) {
    return fail(ErrorCode::kBadKey,
                std::string("expected a key on ") + curve_name(curve) + ", got one on " + curve_name(own));
  }
  TRY_VOID(check_signature_form(curve, signature));
  return verify_under(curve, signer.impl().public_key.point, message, signature);
}

}  // namespace cloister::crypto
