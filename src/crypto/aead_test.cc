#include "crypto/aead.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::crypto {
namespace {

Bytes key_of(std::uint8_t byte) { return Bytes(32, byte); }
constexpr std::string_view kNonce = "ABCDEFGHIJKLMNOPQRSTUVWX";

// The two vectors of the specification (C2SP, XAES-256-GCM): K1 of the first key has no carry, that of the second has one.
TEST(Aead, TheVectorsOfXaes256Gcm) {
  std::string out;
  AeadKey(key_of(1)).seal_with(as_bytes(kNonce), {}, as_bytes("XAES-256-GCM"), out);
  EXPECT_EQ(to_hex(as_bytes(out)), "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  out.clear();
  AeadKey(key_of(3)).seal_with(as_bytes(kNonce), as_bytes("c2sp.org/XAES-256-GCM"), as_bytes("XAES-256-GCM"), out);
  EXPECT_EQ(to_hex(as_bytes(out)), "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

TEST(Aead, ThereAndBack) {
  const AeadKey key(key_of(7));
  for (const std::size_t size : {0u, 1u, 15u, 16u, 4096u, 1u << 20}) {
    const std::string plain(size, 'p');
    std::string sealed = "before";
    key.seal(as_bytes("id"), as_bytes(plain), sealed);
    EXPECT_EQ(sealed.size(), 6 + size + kAeadExtraBytes);
    const Result<std::string> opened = key.open(as_bytes("id"), std::string_view(sealed).substr(6));
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, plain);
  }
}

TEST(Aead, NothingOfItMayChange) {
  const AeadKey key(key_of(7));
  std::string sealed;
  key.seal(as_bytes("id"), as_bytes("text"), sealed);
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] ^= 1;
    const Result<std::string> opened = key.open(as_bytes("id"), changed);
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadSignature);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_REFUSED(key.open(as_bytes("id"), sealed.substr(0, size)),
                   "the encrypted text is not what was encrypted with this key");
  EXPECT_REFUSED(key.open(as_bytes("id"), sealed + "x"), "the encrypted text is not what was encrypted with this key");
  EXPECT_REFUSED(key.open(as_bytes("another"), sealed), "the encrypted text is not what was encrypted with this key");
  EXPECT_REFUSED(key.open({}, sealed), "the encrypted text is not what was encrypted with this key");
  EXPECT_REFUSED(AeadKey(key_of(8)).open(as_bytes("id"), sealed),
                 "the encrypted text is not what was encrypted with this key");
  EXPECT_TRUE(key.open(as_bytes("id"), sealed)) << "a failure leaves nothing behind";
}

TEST(Aead, NoNonceComesTwice) {
  const AeadKey key(key_of(7));
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    std::string sealed;
    key.seal({}, {}, sealed);
    seen.insert(sealed);
  }
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(Aead, OneKeyServesManyThreads) {
  const AeadKey key(key_of(7));
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string plain(100 + static_cast<std::size_t>(t), static_cast<char>('a' + t));
      for (int i = 0; i < 1000; ++i) {
        std::string sealed;
        key.seal(as_bytes(plain), as_bytes(plain), sealed);
        right[static_cast<std::size_t>(t)] += key.open(as_bytes(plain), sealed).value_or("") == plain;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(4, 1000));
}

}  // namespace
}  // namespace cloister::crypto
