// EIP-55 examples, the shared chat signature vectors, and each rule of the strict recovery.
#include "crypto/secp256k1.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"

namespace cloister::crypto {
namespace {

// Private key 1, whose address is well known.
Secp256k1Key key_one() {
  Bytes secret(32, 0);
  secret[31] = 1;
  return *Secp256k1Key::from_secret(secret);
}

TEST(EthAddressText, Eip55Examples) {
  for (const char* text :
       {"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"}) {
    const auto address = parse_eth_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(eth_address_text(*address), text);
  }
}

TEST(EthAddressText, ParsesAnyCaseAndRefusesOtherShapes) {
  const auto lower = parse_eth_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
  const auto upper = parse_eth_address("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED");
  ASSERT_TRUE(lower && upper);
  EXPECT_EQ(*lower, *upper);
  for (const char* text :
       {"", "0x", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed00", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
        " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}) {
    EXPECT_FALSE(parse_eth_address(text)) << text;
  }
}

TEST(Secp256k1, KeyOneIsTheGenerator) {
  const Secp256k1Key key = key_one();
  EXPECT_EQ(to_hex(key.public_key()), "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                                      "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
  EXPECT_EQ(eth_address_text(key.address()), "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

TEST(Secp256k1, SecretsOutOfRangeAreRefused) {
  EXPECT_REFUSED(Secp256k1Key::from_secret(Bytes(32, 0)),
                 "a secp256k1 key must be above zero and below the group order");
  EXPECT_REFUSED(Secp256k1Key::from_secret(Bytes(32, 0xff)),
                 "a secp256k1 key must be above zero and below the group order");
  EXPECT_REFUSED(Secp256k1Key::from_secret(Bytes(31, 1)), "a secp256k1 key has 32 bytes, got 31");
  EXPECT_REFUSED(Secp256k1Key::from_secret(Bytes(33, 1)), "a secp256k1 key has 32 bytes, got 33");
  // The group order itself, and one less.
  const char* order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
  EXPECT_REFUSED(Secp256k1Key::from_secret(*from_hex(order)),
                 "a secp256k1 key must be above zero and below the group order");
  Bytes last = *from_hex(order);
  last[31] -= 1;
  EXPECT_TRUE(Secp256k1Key::from_secret(last));
}

TEST(Secp256k1, SignaturesRecoverAndAreDeterministic) {
  const Secp256k1Key key = key_one();
  for (const std::string& text :
       {std::string(), std::string("hello"), std::string(129, 'f'), std::string("h\xC3\xA9\0llo", 7)}) {
    const EthSignature signature = key.sign_text(text);
    EXPECT_EQ(signature, key.sign_text(text));
    EXPECT_TRUE(signature[64] == 27 || signature[64] == 28);
    const auto signer = recover_eip191(text, signature);
    ASSERT_TRUE(signer) << signer.error().message;
    EXPECT_EQ(*signer, key.address());
    const auto other = recover_eip191(text + "x", signature);
    EXPECT_TRUE(!other || *other != key.address());
  }
}

// The example of the web3.js documentation for eth.accounts.sign.
TEST(Secp256k1, SignsAsWeb3Does) {
  const auto key =
      Secp256k1Key::from_secret(*from_hex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"));
  ASSERT_TRUE(key);
  EXPECT_EQ(eth_address_text(key->address()), "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
  EXPECT_EQ(to_hex(eip191_digest("Some data")), "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655");
  EXPECT_EQ(to_hex(key->sign_text("Some data")), "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
                                                 "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c");
}

TEST(Secp256k1, EachRuleOfTheRecoveryHasItsMessage) {
  const EthSignature good = key_one().sign_text("hello");
  const Bytes order = *from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  const auto refusal = [](Bytes signature) {
    const auto result = recover_eip191("hello", signature);
    return result ? std::string("accepted") : result.error().message;
  };
  const auto with = [&](std::size_t offset, const Bytes& bytes) {
    Bytes out(good.begin(), good.end());
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
    return out;
  };
  EXPECT_NE(refusal(Bytes(good.begin(), good.end() - 1)).find("65 bytes"), std::string::npos);
  EXPECT_NE(refusal({}).find("65 bytes"), std::string::npos);
  EXPECT_NE(refusal(with(0, Bytes(32, 0))).find("zero"), std::string::npos);
  EXPECT_NE(refusal(with(32, Bytes(32, 0))).find("zero"), std::string::npos);
  EXPECT_NE(refusal(with(0, order)).find("below the group order"), std::string::npos);
  EXPECT_NE(refusal(with(32, order)).find("below the group order"), std::string::npos);
  for (const int v : {2, 3, 26, 29, 30, 31, 35, 255}) {
    EXPECT_NE(refusal(with(64, {static_cast<std::uint8_t>(v)})).find("v must be"), std::string::npos) << v;
  }
  Bytes high = order;  // order - s: the same signer in plain ECDSA, refused here
  int borrow = 0;
  for (int i = 31; i >= 0; --i) {
    const int digit = order[static_cast<std::size_t>(i)] - good[static_cast<std::size_t>(32 + i)] - borrow;
    borrow = digit < 0 ? 1 : 0;
    high[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(digit & 255);
  }
  EXPECT_NE(refusal(with(32, high)).find("upper half"), std::string::npos);
}

TEST(Secp256k1, SharedChatVectors) {
  const auto cases = Json::parse(testing::vector_text("signatures/eip191_chat.json"));
  ASSERT_GE(cases.size(), 10u);
  for (const auto& test : cases) {
    const std::string text = test.at("text");
    const std::string why = test.at("why");
    const Bytes signature = *from_hex(test.at("signature").get<std::string>().substr(2));
    const EthAddress expected = *parse_eth_address(test.at("signing_address").get<std::string>());
    const auto key = Secp256k1Key::from_secret(*from_hex(test.at("private_key").get<std::string>()));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->address(), expected) << why;
    const auto signer = recover_eip191(text, signature);
    const bool accepted = signer && *signer == expected;
    EXPECT_EQ(accepted, test.at("verdict") == "accept") << why;
    if (accepted) {
      EXPECT_EQ(to_hex(eip191_digest(text)), test.at("eip191_hash").get<std::string>()) << why;
    }
  }
}

}  // namespace
}  // namespace cloister::crypto
