#include "identity/executable_digest.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "crypto/hash.h"

namespace cloister::identity {
namespace {

TEST(ExecutableDigest, IsThatOfThisProgram) {
  const auto digest = executable_digest();
  ASSERT_TRUE(digest) << digest.error().message;
  const auto file = read_file("/proc/self/exe", 1u << 30);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(*digest, crypto::sha256(as_bytes(*file)));
}

}  // namespace
}  // namespace cloister::identity
