// Compares what AWS-LC says about signatures with what OpenSSL says about the same bytes.
#include "crypto/curve_calls.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>

#include <random>
#include <string>

#include "crypto/openssl_handles.h"

namespace cloister::crypto {
namespace {

// OpenSSL's second opinion. `der` is the signature.
bool openssl_accepts(Curve curve, ByteView point, ByteView message, ByteView der) {
  const ErrorQueueGuard guard;
  const PkeyPtr key = make_public_key(curve, point);
  if (key == nullptr) return false;
  const DigestCtxPtr context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, curve_digest(curve), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) == 1;
}

bool aws_lc_accepts(Curve curve, ByteView point, ByteView message, ByteView der) {
  return is_message_signed(curve, point, message, der);
}

const Curve kCurves[] = {Curve::kP256, Curve::kP384};

TEST(AwsLcCurves, AgreesWithOpensslAboutChangedBytes) {
  std::mt19937 random(20261201);
  for (const Curve curve : kCurves) {
    int accepted = 0;
    for (int round = 0; round < 120; ++round) {
      const EcKey key = *EcKey::derive(curve, sha256(as_bytes(std::to_string(round))), "test");
      Bytes point = key.public_point();
      Bytes message = to_bytes(as_bytes("message " + std::to_string(round)));
      Bytes der = encode_ecdsa_signature(key.sign(message));
      Bytes* const changed[] = {nullptr, &point, &message, &der};
      if (Bytes* const bytes = changed[round % 4]; bytes != nullptr) {
        (*bytes)[random() % bytes->size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
      }
      const bool good = aws_lc_accepts(curve, point, message, der);
      EXPECT_EQ(good, openssl_accepts(curve, point, message, der)) << curve_name(curve) << " round " << round;
      EXPECT_EQ(good, round % 4 == 0) << curve_name(curve) << " round " << round;
      accepted += good ? 1 : 0;
    }
    EXPECT_EQ(accepted, 30);
  }
}

TEST(AwsLcCurves, AgreesWithOpensslAboutTheFormOfASignature) {
  for (const Curve curve : kCurves) {
    const EcKey key = *EcKey::derive(curve, sha256(as_bytes("form")), "test");
    const Bytes message = to_bytes(as_bytes("message"));
    const Bytes der = encode_ecdsa_signature(key.sign(message));
    const auto differs = [&](const char* what, const Bytes& other) {
      EXPECT_FALSE(aws_lc_accepts(curve, key.public_point(), message, other)) << what;
      EXPECT_FALSE(openssl_accepts(curve, key.public_point(), message, other)) << what;
    };
    ASSERT_TRUE(aws_lc_accepts(curve, key.public_point(), message, der));
    differs("nothing", {});
    Bytes longer = der;
    longer.push_back(0);
    differs("a byte behind it", longer);
    differs("its last byte is missing", {der.begin(), der.end() - 1});
    Bytes padded = der;  // r gets a leading zero that it does not need
    padded[1] += 1;
    padded[3] += 1;
    padded.insert(padded.begin() + 4, 0);
    if (der[4] != 0) differs("r is padded", padded);
    Bytes long_form{0x30, 0x81, der[1]};
    append(long_form, ByteView(der).subspan(2));
    differs("a length in its long form", long_form);
    differs("r and s are 0", {0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00});
    differs("s is negative", {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0xff});
  }
}

TEST(AwsLcCurves, RefusesWhatIsNoPoint) {
  for (const Curve curve : kCurves) {
    const std::size_t size = coordinate_size(curve);
    const Bytes good = EcKey::derive(curve, sha256(as_bytes("point")), "test")->public_point();
    EXPECT_TRUE(aws_lc::is_on_curve(aws_lc_curve(curve), good.data()));
    const auto refused = [&](const char* what, const Bytes& point) {
      EXPECT_FALSE(aws_lc::is_on_curve(aws_lc_curve(curve), point.data())) << what;
      EXPECT_EQ(make_public_key(curve, point), nullptr) << what;
    };
    refused("zeros", Bytes(2 * size, 0));
    refused("ones", Bytes(2 * size, 0xff));
    Bytes swapped(good.begin() + static_cast<std::ptrdiff_t>(size), good.end());
    swapped.insert(swapped.end(), good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    refused("y || x", swapped);
    Bytes off = good;
    off.back() ^= 1;
    refused("another y", off);
  }
}

TEST(AwsLcCurves, SignsAsOpensslDoes) {
  for (int round = 0; round < 20; ++round) {
    const Sha256Digest seed = sha256(as_bytes(std::to_string(round)));
    const Bytes message(static_cast<std::size_t>(round * 37), static_cast<std::uint8_t>(round));
    ByteArray<32> public_key;
    ByteArray<aws_lc::kEd25519PrivateBytes> private_key;
    aws_lc::expand_ed25519_seed(seed.data(), public_key.data(), private_key.data());
    ByteArray<64> signature;
    aws_lc::sign_ed25519(private_key.data(), view_of(message), signature.data());
    EXPECT_TRUE(aws_lc::verify_ed25519(public_key.data(), view_of(message), signature.data()));

    const PkeyPtr key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()));
    const DigestCtxPtr context(EVP_MD_CTX_new());
    ByteArray<64> expected;
    std::size_t size = expected.size();
    ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr), 1);
    ASSERT_EQ(EVP_DigestSign(context.get(), expected.data(), &size, message.data(), message.size()), 1);
    EXPECT_EQ(signature, expected);
    signature[static_cast<std::size_t>(round)] ^= 1;
    EXPECT_FALSE(aws_lc::verify_ed25519(public_key.data(), view_of(message), signature.data()));
  }
}

}  // namespace
}  // namespace cloister::crypto
