#include "crypto/ecdsa_deterministic.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "crypto/hash.h"

namespace cloister::crypto {
namespace {

Bytes curve_hash(Curve curve, ByteView message) {
  if (curve == Curve::kP256) {
    const Sha256Digest digest = sha256(message);
    return {digest.begin(), digest.end()};
  }
  const Sha384Digest digest = sha384(message);
  return {digest.begin(), digest.end()};
}

// BN_bn2binpad with a fixed width.
Bytes octets(const BIGNUM* number, std::size_t width) {
  Bytes out(width);
  require(BN_bn2binpad(number, out.data(), static_cast<int>(width)) == static_cast<int>(width), "integer encoding");
  return out;
}

// The generator of RFC 6979, 3.2, for digests as long as the order, as on both curves: bits2int is then the identity.
class NonceGenerator {
 public:
  NonceGenerator(Curve curve, ByteView private_octets, ByteView reduced_hash)
      : digest_name_(curve == Curve::kP256 ? "SHA2-256" : "SHA2-384"),
        key_(coordinate_size(curve), 0x00),
        value_(coordinate_size(curve), 0x01) {
    for (const std::uint8_t round : {std::uint8_t{0}, std::uint8_t{1}}) reseed(round, private_octets, reduced_hash);
  }
  ~NonceGenerator() {
    explicit_bzero(key_.data(), key_.size());
    explicit_bzero(value_.data(), value_.size());
  }
  NonceGenerator(const NonceGenerator&) = delete;
  NonceGenerator& operator=(const NonceGenerator&) = delete;

  // The next candidate; the caller refuses those that are not between 1 and the order.
  BignumPtr next() {
    if (used_) reseed(0, {}, {});
    used_ = true;
    value_ = mac(value_);
    BignumPtr candidate(BN_secure_new());
    require(
        candidate != nullptr && BN_bin2bn(value_.data(), static_cast<int>(value_.size()), candidate.get()) != nullptr,
        "no memory for a nonce");
    BN_set_flags(candidate.get(), BN_FLG_CONSTTIME);
    return candidate;
  }

 private:
  void reseed(std::uint8_t round, ByteView first, ByteView second) {
    Bytes input = value_;
    input.push_back(round);
    append(input, first);
    append(input, second);
    key_ = mac(input);
    value_ = mac(value_);
    explicit_bzero(input.data(), input.size());
  }

  Bytes mac(ByteView message) const {
    Bytes out(key_.size());
    std::size_t size = 0;
    require(EVP_Q_mac(nullptr, "HMAC", nullptr, digest_name_, nullptr, key_.data(), key_.size(), message.data(),
                      message.size(), out.data(), out.size(), &size) != nullptr &&
                size == out.size(),
            "HMAC");
    return out;
  }

  const char* const digest_name_;
  Bytes key_;
  Bytes value_;
  bool used_ = false;
};

// One attempt with nonce `k`; empty when r or s would be zero.
Bytes sign_with(const EC_GROUP* group, const BIGNUM* d, const BIGNUM* hash, const BIGNUM* k, std::size_t width,
                BN_CTX* scratch) {
  const BIGNUM* order = EC_GROUP_get0_order(group);
  const EcPointPtr point(EC_POINT_new(group));
  const BignumPtr r(BN_new());
  const BignumPtr s(BN_secure_new());
  const BignumPtr exponent(BN_dup(order));
  const BignumPtr inverse(BN_secure_new());
  require(point != nullptr && r != nullptr && s != nullptr && exponent != nullptr && inverse != nullptr,
          "no memory for a signature");
  require(EC_POINT_mul(group, point.get(), k, nullptr, nullptr, scratch) == 1 &&
              EC_POINT_get_affine_coordinates(group, point.get(), r.get(), nullptr, scratch) == 1 &&
              BN_nnmod(r.get(), r.get(), order, scratch) == 1,
          "ECDSA r");
  // The order is prime, so k^(order - 2) is the inverse; this form takes the same time for every k.
  require(BN_sub_word(exponent.get(), 2) == 1 &&
              BN_mod_exp_mont_consttime(inverse.get(), k, exponent.get(), order, scratch, nullptr) == 1 &&
              BN_mod_mul(s.get(), r.get(), d, order, scratch) == 1 &&
              BN_mod_add(s.get(), s.get(), hash, order, scratch) == 1 &&
              BN_mod_mul(s.get(), s.get(), inverse.get(), order, scratch) == 1,
          "ECDSA s");
  if (BN_is_zero(r.get()) || BN_is_zero(s.get())) return {};
  Bytes out = octets(r.get(), width);
  append(out, octets(s.get(), width));
  return out;
}

}  // namespace

Bytes sign_deterministic(const EcKey::Impl& key, ByteView message) {
  const std::size_t width = coordinate_size(key.curve);
  const BnCtxPtr scratch(BN_CTX_secure_new());
  const EcGroupPtr group(EC_GROUP_new_by_curve_name(curve_nid(key.curve)));
  BIGNUM* scalar = nullptr;
  require(EVP_PKEY_get_bn_param(key.key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1, "EC private key");
  const BignumPtr d(scalar);
  const Bytes digest = curve_hash(key.curve, message);
  const BignumPtr hash(BN_bin2bn(digest.data(), static_cast<int>(digest.size()), nullptr));
  require(scratch != nullptr && group != nullptr && hash != nullptr, "no memory for a signature");
  const BIGNUM* order = EC_GROUP_get0_order(group.get());
  require(BN_nnmod(hash.get(), hash.get(), order, scratch.get()) == 1, "ECDSA hash");

  Bytes private_octets = octets(d.get(), width);
  NonceGenerator nonces(key.curve, private_octets, octets(hash.get(), width));
  explicit_bzero(private_octets.data(), private_octets.size());
  for (;;) {
    const BignumPtr k = nonces.next();
    if (BN_is_zero(k.get()) || BN_cmp(k.get(), order) >= 0) continue;
    Bytes signature = sign_with(group.get(), d.get(), hash.get(), k.get(), width, scratch.get());
    if (!signature.empty()) return signature;
  }
}

}  // namespace cloister::crypto
