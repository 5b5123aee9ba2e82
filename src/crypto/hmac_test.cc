#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/encoding.h"

namespace cloister::crypto {
namespace {

// RFC 4231, sections 4.2, 4.3 and 4.7.
TEST(Hmac, Rfc4231) {
  const HmacKey first(Bytes(20, 0x0b));
  EXPECT_EQ(to_hex(first.mac({as_bytes("Hi There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  const HmacKey second(as_bytes("Jefe"));
  EXPECT_EQ(to_hex(second.mac({as_bytes("what do ya "), as_bytes("want for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const HmacKey longer(Bytes(131, 0xaa));
  EXPECT_EQ(to_hex(longer.mac({as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, OneKeyServesManyThreads) {
  const HmacKey key(as_bytes("key"));
  const Sha256Digest expected = key.mac({as_bytes("text")});
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i)
        wrong[static_cast<std::size_t>(t)] += key.mac({as_bytes("te"), as_bytes("xt")}) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_NE(key.mac({}), expected);
}

}  // namespace
}  // namespace cloister::crypto
