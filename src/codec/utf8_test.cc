#include "codec/utf8.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

bool takes(std::string_view text) { return is_utf8(as_bytes(text)); }

TEST(Utf8, TakesEachLength) {
  EXPECT_TRUE(takes(""));
  EXPECT_TRUE(takes(std::string_view("a\0b", 3)));
  EXPECT_TRUE(takes("\xc2\x80 \xdf\xbf"));
  EXPECT_TRUE(takes("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
  EXPECT_TRUE(takes("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe1\x80",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf1\x80\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe"}) {
    EXPECT_FALSE(takes(text)) << static_cast<int>(static_cast<unsigned char>(text[0]));
    EXPECT_FALSE(takes("before " + std::string(text))) << static_cast<int>(static_cast<unsigned char>(text[0]));
  }
}

}  // namespace
}  // namespace cloister::codec
