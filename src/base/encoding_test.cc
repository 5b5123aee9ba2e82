#include "base/encoding.h"
#include "base/result_testing.h"

#include <gtest/gtest.h>

namespace cloister {
namespace {

TEST(Hex, RoundTrip) {
  Bytes bytes = {0, 1, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "0001abff");
  EXPECT_EQ(*from_hex("0001ABff"), bytes);
  EXPECT_TRUE(from_hex("")->empty());
}

TEST(Hex, Strict) {
  for (const char* bad : {"0", "0x00", "0g", " 00", "00 "}) EXPECT_FALSE(from_hex(bad)) << bad;
  EXPECT_REFUSED(from_hex_exactly<2>("00"), "expected 4 hex characters, got 2");
  EXPECT_TRUE(from_hex_exactly<1>("00"));
}

// RFC 4648, section 10.
TEST(Base64, KnownAnswers) {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, encoded] : rows) {
    EXPECT_EQ(to_base64(as_bytes(text)), encoded);
    EXPECT_EQ(as_text(*from_base64(encoded)), text);
  }
}

TEST(Base64, Strict) {
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "=Zg=", "Zm9v\n", "Zm-v", "Z===", "===="}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

}  // namespace
}  // namespace cloister
