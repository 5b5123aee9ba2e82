// RFC 8032 section 7.1, the shared chat signature vectors, and the keys that a lax verifier would accept.
#include "crypto/ed25519.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/json.h"
#include "base/result_testing.h"
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
    EXPECT_REFUSED(verify_ed25519(key->public_key(), message, bad), "the Ed25519 signature does not verify")
        << "bit " << bit;
  }
  EXPECT_REFUSED(verify_ed25519(key->public_key(), Bytes{1, 2, 4}, good), "the Ed25519 signature does not verify");
}

TEST(Ed25519, WrongLengthsAreRefused) {
  EXPECT_REFUSED(Ed25519Key::from_seed(Bytes(31, 1)), "an Ed25519 seed has 32 bytes, got 31");
  EXPECT_REFUSED(Ed25519Key::from_seed(Bytes(33, 1)), "an Ed25519 seed has 32 bytes, got 33");
  const auto key = Ed25519Key::from_seed(Bytes(32, 1));
  const ByteArray<64> signature = key->sign({});
  EXPECT_REFUSED(verify_ed25519(ByteView(key->public_key()).first(31), {}, signature),
                 "an Ed25519 public key has 32 bytes, got 31");
  EXPECT_REFUSED(verify_ed25519(key->public_key(), {}, ByteView(signature).first(63)),
                 "an Ed25519 signature has 64 bytes, got 63");
  Bytes longer = to_bytes(signature);
  longer.push_back(0);
  EXPECT_REFUSED(verify_ed25519(key->public_key(), {}, longer), "an Ed25519 signature has 64 bytes, got 65");
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
  // p, p + 1 (which a lax parser takes for 0 and 1) and the largest 255-bit number.
  for (const char* y : {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    const auto verdict = verify_ed25519(*from_hex(y), {}, Bytes(64, 0));
    ASSERT_FALSE(verdict);
    EXPECT_NE(verdict.error().message.find("canonical"), std::string::npos);
  }
  // p - 1 is canonical in form and fails as a point of small order; p - 2 fails only as a signature.
  const auto verdict =
      verify_ed25519(*from_hex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), {}, Bytes(64, 0));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kBadSignature);
}

struct EdgeCase {
  const char* message;
  const char* public_key;
  const char* signature;
  bool accept;
  const char* what;
};

// The edge cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), in its order, with the answers of
// a strict cofactorless verifier.
const EdgeCase kEdgeCases[] = {
    {"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false, "S = 0, key and R of small order"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false, "key of small order"},
    {"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     true, "R of small order: only the holder of the key can make it"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     true, "key and R of mixed order, both equations hold"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     false, "only the equation with the cofactor holds"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     false, "only the equation with the cofactor holds, multiplied before the hash is reduced"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     false, "S above the group order"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
     false, "S far above the group order"},
    {"fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
     false, "R not canonical, reduced before it is hashed"},
    {"84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
     false, "R not canonical, hashed as it is"},
};

TEST(Ed25519, EdgeCasesWhereVerifiersDisagree) {
  for (const EdgeCase& edge : kEdgeCases) {
    const auto verdict = verify_ed25519(*from_hex(edge.public_key), *from_hex(edge.message), *from_hex(edge.signature));
    EXPECT_EQ(verdict.has_value(), edge.accept) << edge.what;
  }
}

// The same key in several threads, and in sequence: only key and message decide a signature.
TEST(Ed25519, OneKeySignsInManyThreads) {
  auto made = Ed25519Key::from_seed(*from_hex(kRfc8032[0].seed));
  ASSERT_TRUE(made);
  const Ed25519Key key = std::move(*made);
  std::vector<Bytes> messages;
  std::vector<ByteArray<64>> expected;
  for (std::size_t size = 0; size < 40; ++size) {
    messages.push_back(Bytes(size * 97, static_cast<std::uint8_t>(size)));
    expected.push_back(Ed25519Key::from_seed(*from_hex(kRfc8032[0].seed))->sign(messages.back()));
    ASSERT_TRUE(verify_ed25519(key.public_key(), messages.back(), expected.back()));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 200; ++i) {
        const std::size_t which = (i * 7 + t) % messages.size();
        if (key.sign(messages[which]) != expected[which]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Ed25519, SharedChatVectors) {
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
