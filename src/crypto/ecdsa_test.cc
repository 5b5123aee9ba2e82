// RFC 6979 appendix A.2.5 and A.2.6, and the rules for raw r || s and raw points.
#include "crypto/ecdsa.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::crypto {
namespace {

struct Rfc6979Case {
  Curve curve;
  const char* pkcs8_prefix;  // of a PKCS#8 private key without its public half, in hex
  const char* scalar;
  const char* point;
  const char* signature;  // signature of the text "sample"
};

const Rfc6979Case kRfc6979[] = {
    {Curve::kP256, "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
     "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {Curve::kP384, "304e020100301006072a8648ce3d020106052b81040022043730350201010430",
     "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
};

EcKey key_of(const Rfc6979Case& test) {
  const Bytes der = *from_hex(std::string(test.pkcs8_prefix) + test.scalar);
  Result<EcKey> key =
      EcKey::from_pem("-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n");
  EXPECT_TRUE(key);
  return *std::move(key);
}

// a - b for big-endian numbers of one width, a > b.
Bytes difference(const Bytes& a, ByteView b) {
  Bytes out = a;
  int borrow = 0;
  for (std::size_t i = a.size(); i-- > 0;) {
    const int digit = a[i] - b[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    out[i] = static_cast<std::uint8_t>(digit & 255);
  }
  return out;
}

TEST(Ecdsa, Rfc6979Cases) {
  for (const Rfc6979Case& test : kRfc6979) {
    const EcKey key = key_of(test);
    EXPECT_EQ(key.curve(), test.curve);
    EXPECT_EQ(to_hex(key.public_point()), test.point);
    EXPECT_EQ(to_hex(key.sign(as_bytes("sample"))), test.signature);
    EXPECT_TRUE(verify_ecdsa(test.curve, key.public_point(), as_bytes("sample"), *from_hex(test.signature)));
    EXPECT_FALSE(verify_ecdsa(test.curve, key.public_point(), as_bytes("samplf"), *from_hex(test.signature)));
  }
}

TEST(Ecdsa, DerivedKeysDependOnSeedLabelAndCurveOnly) {
  const Bytes seed(32, 9);
  const auto point = [](Curve curve, const Bytes& from, const char* label) {
    return EcKey::derive(curve, from, label)->public_point();
  };
  EXPECT_EQ(point(Curve::kP256, seed, "a"), point(Curve::kP256, seed, "a"));
  EXPECT_NE(point(Curve::kP256, seed, "a"), point(Curve::kP256, seed, "b"));
  EXPECT_NE(point(Curve::kP256, seed, "a"), point(Curve::kP256, Bytes(32, 8), "a"));
  EXPECT_EQ(point(Curve::kP384, seed, "a").size(), 96u);
  // These values never change: evidence of simulators is pinned to keys made this way.
  EXPECT_EQ(to_hex(point(Curve::kP256, seed, "a")).substr(0, 16), "95343f593c699ea2");
  EXPECT_EQ(to_hex(point(Curve::kP384, seed, "a")).substr(0, 16), "5aac557fbaccf801");
}

TEST(Ecdsa, KeysSignAndSurvivePem) {
  for (const Curve curve : {Curve::kP256, Curve::kP384}) {
    auto made = EcKey::generate(curve);
    ASSERT_TRUE(made);
    const auto read = EcKey::from_pem(made->to_pem());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->curve(), curve);
    EXPECT_EQ(read->public_point(), made->public_point());
    for (int i = 0; i < 20; ++i) {
      const Bytes message(static_cast<std::size_t>(i), 0xab);
      const Bytes signature = read->sign(message);
      EXPECT_EQ(signature.size(), 2 * coordinate_size(curve));
      EXPECT_TRUE(verify_ecdsa(curve, made->public_point(), message, signature));
    }
  }
}

TEST(Ecdsa, UnusablePemIsRefused) {
  EXPECT_REFUSED(EcKey::from_pem(""), "not an unencrypted PEM private key");
  EXPECT_REFUSED(EcKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                 "not an unencrypted PEM private key");
  EXPECT_REFUSED(EcKey::from_pem(std::string(70000, 'A')), "a PEM key has at most 65536 bytes");
  // An Ed25519 key, and an encrypted one, which must not ask for a password on the terminal.
  EXPECT_FALSE(EcKey::from_pem("-----BEGIN PRIVATE KEY-----\n"
                               "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                               "-----END PRIVATE KEY-----\n"));
  EXPECT_FALSE(EcKey::from_pem("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                               "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                               "-----END ENCRYPTED PRIVATE KEY-----\n"));
}

TEST(Ecdsa, ScalarsOutOfRangeAreRefusedAndHighSIsNot) {
  const Rfc6979Case& test = kRfc6979[0];
  const Bytes order = *from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const Bytes point = *from_hex(test.point);
  const Bytes good = *from_hex(test.signature);
  const auto verify = [&](const Bytes& r, const Bytes& s) {
    Bytes signature = r;
    append(signature, s);
    return verify_ecdsa(Curve::kP256, point, as_bytes("sample"), signature);
  };
  const Bytes r(good.begin(), good.begin() + 32);
  const Bytes s(good.begin() + 32, good.end());
  EXPECT_TRUE(verify(r, s));
  EXPECT_TRUE(verify(r, difference(order, s)));
  EXPECT_NE(verify(Bytes(32, 0), s).error().message.find("r = 0"), std::string::npos);
  EXPECT_NE(verify(r, Bytes(32, 0)).error().message.find("s = 0"), std::string::npos);
  EXPECT_NE(verify(order, s).error().message.find("not below the order"), std::string::npos);
  EXPECT_NE(verify(r, Bytes(32, 0xff)).error().message.find("not below the order"), std::string::npos);
  EXPECT_NE(verify(s, r).error().message.find("does not verify"), std::string::npos);
}

TEST(Ecdsa, PointsOffTheCurveAndWrongLengthsAreRefused) {
  const Rfc6979Case& test = kRfc6979[0];
  const Bytes good = *from_hex(test.signature);
  Bytes point = *from_hex(test.point);
  point[63] ^= 1;
  EXPECT_EQ(verify_ecdsa(Curve::kP256, point, as_bytes("sample"), good).error().code, ErrorCode::kBadKey);
  EXPECT_EQ(verify_ecdsa(Curve::kP256, Bytes(64, 0), as_bytes("sample"), good).error().code, ErrorCode::kBadKey);
  EXPECT_EQ(verify_ecdsa(Curve::kP256, Bytes(64, 0xff), as_bytes("sample"), good).error().code, ErrorCode::kBadKey);
  point[63] ^= 1;
  EXPECT_REFUSED(verify_ecdsa(Curve::kP256, Bytes(63, 1), as_bytes("sample"), good),
                 "a public key on P-256 has 64 bytes, got 63");
  EXPECT_REFUSED(verify_ecdsa(Curve::kP384, point, as_bytes("sample"), good),
                 "a public key on P-384 has 96 bytes, got 64");
  EXPECT_REFUSED(verify_ecdsa(Curve::kP256, point, as_bytes("sample"), Bytes(good.begin(), good.end() - 1)),
                 "an ECDSA signature on P-256 has 64 bytes, got 63");
  EXPECT_REFUSED(verify_ecdsa(Curve::kP256, point, as_bytes("sample"), {}),
                 "an ECDSA signature on P-256 has 64 bytes, got 0");
}

}  // namespace
}  // namespace cloister::crypto
