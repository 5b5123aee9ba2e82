// Known answers: FIPS 180-4 examples, RFC 5869 appendix A, Ethereum's Keccak-256.
#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/json.h"
#include "base/testing/vectors.h"

namespace cloister::crypto {
namespace {

TEST(Sha256Function, KnownAnswers) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha384Function, KnownAnswers) {
  EXPECT_EQ(to_hex(sha384({})),
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
  EXPECT_EQ(to_hex(sha384(as_bytes("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
}

TEST(Sha512Function, KnownAnswers) {
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                                             "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Keccak256Function, IsEthereumsAndNotSha3) {
  EXPECT_EQ(to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(as_bytes("abc"))), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

TEST(Sha256Incremental, MillionLettersInUnevenPieces) {
  Sha256 hash;
  const std::string piece(997, 'a');
  std::size_t left = 1000000;
  while (left > 0) {
    const std::size_t count = std::min(left, piece.size());
    hash.update(as_bytes(std::string_view(piece).substr(0, count)));
    left -= count;
  }
  EXPECT_EQ(to_hex(hash.finish()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Incremental, FinishStartsAgainAndMovesCarryTheState) {
  Sha256 hash;
  hash.update(as_bytes("something else"));
  hash.finish();
  hash.update(as_bytes("ab"));
  Sha256 moved = std::move(hash);
  moved.update(as_bytes("c"));
  EXPECT_EQ(moved.finish(), sha256(as_bytes("abc")));
  EXPECT_EQ(moved.finish(), sha256({}));
}

struct HkdfCase {
  const char* input_key;
  const char* salt;
  const char* info;
  std::size_t length;
  const char* output;
};

TEST(Hkdf, Rfc5869Sha256Cases) {
  const HkdfCase cases[] = {
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42,
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
       "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
       "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
       "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
       "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
       "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
       82,
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
       "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", 42,
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
  for (const HkdfCase& test : cases) {
    const Bytes info = *from_hex(test.info);
    const SecretBytes out = hkdf_sha256(*from_hex(test.input_key), *from_hex(test.salt), as_text(info), test.length);
    EXPECT_EQ(to_hex(out.expose()), test.output);
  }
}

TEST(Hkdf, LabelsSeparateKeysAndAnEmptyKeyIsAllowed) {
  const Bytes seed(32, 1);
  EXPECT_FALSE(equal(hkdf_sha256(seed, {}, "a", 32).expose(), hkdf_sha256(seed, {}, "b", 32).expose()));
  EXPECT_EQ(hkdf_sha256({}, {}, "a", 32).size(), 32u);
  EXPECT_EQ(hkdf_sha256(seed, {}, "a", 255 * 32).size(), 255u * 32u);
}

TEST(Random, FillsAllOfItAndDiffersEachTime) {
  const Bytes a = random_bytes(64);
  const Bytes b = random_bytes(64);
  EXPECT_EQ(a.size(), 64u);
  EXPECT_NE(a, b);
  EXPECT_NE(Bytes(a.begin() + 32, a.end()), Bytes(32, 0));
  EXPECT_TRUE(random_bytes(0).empty());
}

TEST(Random, IdsNeverRepeatNorComeShort) {
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    Bytes id(10 + i % 7);
    fill_random_id(id);
    EXPECT_TRUE(seen.insert(id).second);
  }
  // Larger than what is kept.
  Bytes large(5000);
  fill_random_id(large);
  EXPECT_GT(std::ranges::count_if(large, [](std::uint8_t byte) { return byte != 0; }), 4000);
}

// Deployed clients derive key and nonce for whole-body encryption like this.
TEST(Hkdf, SharedEhbpVectors) {
  const auto recorded = Json::parse(testing::vector_text("e2ee/ehbp_derive.json"));
  const auto bytes = [&](const char* name) { return *from_hex(recorded.at(name).get<std::string>()); };
  Bytes salt = bytes("requestEnc");
  append(salt, bytes("responseNonce"));
  const Bytes secret = bytes("exportedSecret");
  EXPECT_EQ(to_hex(hkdf_sha256(secret, salt, "key", 32).expose()), recorded.at("derivedKey"));
  EXPECT_EQ(to_hex(hkdf_sha256(secret, salt, "nonce", 12).expose()), recorded.at("derivedNonceBase"));
}

}  // namespace
}  // namespace cloister::crypto
