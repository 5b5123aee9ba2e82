// A parsed secret is not left in the memory that the parser used.
#include <gtest/gtest.h>

#include <thread>

#include "base/testing/freed_blocks.h"
#include "codec/json.h"

namespace cloister::codec {
namespace {

constexpr char kSecret[] = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
constexpr std::string_view kMark(kSecret + 24, 24);

using Read = Result<Json> (*)(std::string_view, const JsonLimits&);

// How many blocks hold it after `read` and wipe(). They run on a thread of their own, whose end frees its buffers, too.
int blocks_left(Read read, const std::string& text, const JsonLimits& limits = {}) {
  return testing::freed_blocks_with(kMark, [&] {
    std::thread([&] {
      auto value = read(text, limits);
      if (value) wipe(*value);
    }).join();
  });
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\":\"" + kSecret + "\""; }

TEST(SecretJson, TheOrdinaryReaderKeepsWhatItRead) {
  EXPECT_GT(blocks_left(parse_json, "{" + quoted("key") + "}"), 0) << "this test sees nothing";
}

TEST(SecretJson, NothingStays) {
  const std::string one = "{" + quoted("key") + R"(,"chain":["a","b"],"more":{"n":1}})";
  // Long texts, in which the secret is elsewhere; and a secret whose text differs from its value.
  const std::string behind = R"({"a":")" + std::string(70'000, 'x') + "\"," + quoted("key") + "}";
  const std::string escaped = R"({"key":"\u0030\")" + std::string(kSecret) + "\"}";
  for (const std::string& text : {one, behind, escaped}) EXPECT_EQ(blocks_left(parse_secret_json, text), 0);
}

TEST(SecretJson, NothingStaysOfWhatIsRefused) {
  const std::string open = "{" + quoted("key") + ",";
  for (const std::string& text : {open, open + "}", open + R"("a":tru})", open + R"("a":1,"a":2})",
                                  open + "\"a\":\"\xff\"}", "{" + quoted("key") + "} x", "\"" + std::string(kSecret)}) {
    ASSERT_FALSE(parse_secret_json(text));
    EXPECT_EQ(blocks_left(parse_secret_json, text), 0) << text;
  }
  const std::string nested = "[" + open + R"("a":[[[]]]}])";
  EXPECT_EQ(blocks_left(parse_secret_json, nested, {.max_depth = 3}), 0);
  EXPECT_EQ(blocks_left(parse_secret_json, "{" + quoted("key") + "}", {.max_values = 1}), 0)
      << "the secret is one too many";
}

TEST(ParseSecretJson, ReadsTheSameAndSaysLess) {
  const std::string text = R"({"b":[1,-2,3.5,true,null,"x"],"a":{"z":{}}})";
  const auto value = parse_secret_json(text);
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(write_json(*value), text);
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("1\0", 2), std::string("\xEF\xBB\xBF{}"), std::string("\"\xff\""),
        std::string(R"({"a":1,"a":2})"), "\"" + std::string(1u << 20, 'x') + "\""}) {
    const auto refused = parse_secret_json(bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kBadJson);
  }
  EXPECT_EQ(parse_secret_json("[[]]", {.max_bytes = 3}).error().code, ErrorCode::kTooLarge);
}

TEST(Wipe, OverwritesTextsOnEveryLevel) {
  Json value = {{"a", kSecret}, {"b", {1, kSecret, {{"c", kSecret}}}}};
  wipe(value);
  EXPECT_EQ(write_json(value).find(std::string(kSecret, 8)), std::string::npos);
  EXPECT_EQ(value["a"].get<std::string>(), std::string(sizeof kSecret - 1, '\0'));
}

}  // namespace
}  // namespace cloister::codec
