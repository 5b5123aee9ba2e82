#include "crypto/x25519.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"

namespace cloister::crypto {
namespace {

// RFC 7748: section 6.1 (Bob), and section 5.2, where the first of the repeated steps multiplies the base point.
TEST(X25519, PublicKeysOfTheSpecification) {
  const std::pair<std::string, std::string> pairs[] = {
      {"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
       "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
      {"09" + std::string(62, '0'), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"}};
  for (const auto& [secret, expected] : pairs) {
    const auto key = X25519Key::from_secret(*from_hex(secret));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(key->public_key()), expected);
  }
}

TEST(X25519, ASecretHas32Bytes) {
  for (const std::size_t size : {0u, 31u, 33u, 64u}) {
    const auto key = X25519Key::from_secret(Bytes(size, 1));
    ASSERT_FALSE(key) << size;
    EXPECT_EQ(key.error().code, ErrorCode::kBadKey);
  }
}

}  // namespace
}  // namespace cloister::crypto
