// RFC 8032 section 7.1, the shared chat signature vectors, and the keys a lax verifier would take.
#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/testing/vectors.h"

namespace cloister::crypto {
namespace {

struct Rfc8032Case {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

const Rfc8032Case kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, Rfc8032Cases) {
  for (const Rfc8032Case& test : kRfc8032) {
    const auto key = Ed25519Key::from_seed(*from_hex(test.seed));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(key->public_key()), test.public_key);
    const Bytes message = *from_hex(test.message);
    EXPECT_EQ(to_hex(key->sign(message)), test.signature);
    EXPECT_TRUE(verify_ed25519(key->public_key(), message, *from_hex(test.signature)));
  }
}

TEST(Ed25519, EveryFlippedBitOfTheSignatureIsRefused) {
  const auto key = Ed25519Key::from_seed(Bytes(32, 5));
  ASSERT_TRUE(key);
  const Bytes message = {1, 2, 3};
  const ByteArray<64> good = key->sign(message);
  for (std::size_t bit = 0; bit < 512; ++bit) {
    ByteArray<64> bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify_ed25519(key->public_key(), message, bad)) << "bit " << bit;
  }
  EXPECT_FALSE(verify_ed25519(key->public_key(), Bytes{1, 2, 4}, good));
}

TEST(Ed25519, WrongLengthsAreRefused) {
  EXPECT_FALSE(Ed25519Key::from_seed(Bytes(31, 1)));
  EXPECT_FALSE(Ed25519Key::from_seed(Bytes(33, 1)));
  const auto key = Ed25519Key::from_seed(Bytes(32, 1));
  const ByteArray<64> signature = key->sign({});
  EXPECT_FALSE(verify_ed25519(ByteView(key->public_key()).first(31), {}, signature));
  EXPECT_FALSE(verify_ed25519(key->public_key(), {}, ByteView(signature).first(63)));
  Bytes longer = to_bytes(signature);
  longer.push_back(0);
  EXPECT_FALSE(verify_ed25519(key->public_key(), {}, longer));
}

// With the neutral element as key, R = neutral and S = 0 fit every message.
TEST(Ed25519, SmallOrderKeysAreRefused) {
  Bytes everything_fits(64, 0);
  everything_fits[0] = 1;
  for (const char* y : {"0000000000000000000000000000000000000000000000000000000000000000",
                        "0100000000000000000000000000000000000000000000000000000000000000",
                        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"}) {
    for (const bool negative : {false, true}) {
      Bytes key = *from_hex(y);
      if (negative) key[31] |= 0x80;
      const auto verdict = verify_ed25519(key, as_bytes("any message"), everything_fits);
      ASSERT_FALSE(verdict);
      EXPECT_EQ(verdict.error().code, ErrorCode::kBadKey) << y;
    }
  }
}

TEST(Ed25519, NonCanonicalKeysAreRefused) {
  // p, p + 1 (which a lax reader takes for 0 and 1) and the largest 255-bit number.
  for (const char* y : {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    const auto verdict = verify_ed25519(*from_hex(y), {}, Bytes(64, 0));
    ASSERT_FALSE(verdict);
    EXPECT_NE(verdict.error().message.find("canonical"), std::string::npos);
  }
  // One below p is canonical in form; it fails as a point of small order, two below p only as a signature.
  const auto verdict = verify_ed25519(
      *from_hex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), {}, Bytes(64, 0));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kBadSignature);
}

TEST(Ed25519, SharedChatVectors) {
  CLOISTER_NEED_VECTORS();
  const auto cases = Json::parse(testing::vector_text("signatures/ed25519_chat.json"));
  ASSERT_GE(cases.size(), 3u);
  for (const auto& test : cases) {
    const Bytes public_key = *from_hex(test.at("public_key").get<std::string>());
    const auto key = Ed25519Key::from_seed(*from_hex(test.at("seed").get<std::string>()));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_bytes(key->public_key()), public_key);
    const std::string text = test.at("text");
    const Bytes signature = *from_hex(test.at("signature").get<std::string>());
    EXPECT_EQ(verify_ed25519(public_key, as_bytes(text), signature).has_value(), test.at("verdict") == "accept")
        << test.at("why");
    if (test.at("verdict") == "accept") {
      EXPECT_EQ(to_bytes(key->sign(as_bytes(text))), signature);
    }
  }
}

}  // namespace
}  // namespace cloister::crypto
