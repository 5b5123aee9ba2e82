#include "engine/dialect/json_text.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace cloister::engine {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, EscapesWhatJsonDemands) {
  EXPECT_EQ(json_string("a\"b\\c\n\r\t\x01\x1f"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\"");
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("\x7f"), "\"\x7f\"");
}

TEST(JsonText, KeepsUtf8) {
  std::string text = "é 漢字 🙂 \xf4\x8f\xbf\xbf \xed\x9f\xbf";
  EXPECT_EQ(json_string(text), "\"" + text + "\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(json_string("a\x80z"), "\"a" + mark + "z\"");                               // stray continuation
  EXPECT_EQ(json_string("\xc0\xaf"), "\"" + mark + mark + "\"");                        // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"" + mark + mark + mark + "\"");             // surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"" + mark + mark + mark + mark + "\"");  // beyond U+10FFFF
  EXPECT_EQ(json_string("\xe6\xbc"), "\"" + mark + mark + "\"");                        // cut short
}

TEST(JsonText, IsAlwaysJson) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      std::string text = {static_cast<char>(first), static_cast<char>(second), 'x'};
      Result<Json> parsed = codec::parse_json("[" + json_string(text) + "]");
      ASSERT_TRUE(parsed.has_value()) << first << ' ' << second << ' ' << parsed.error().message;
    }
  }
}

}  // namespace
}  // namespace cloister::engine
