#include "codec/json.h"
#include "base/result_testing.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cloister::codec {
namespace {

std::string complaint(std::string_view text, const JsonLimits& limits = {}) {
  const auto result = parse_json(text, limits);
  return result ? "accepted" : result.error().message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(ParseJson, KeepsValuesAndTheOrderOfMembers) {
  const auto json = parse_json(R"({"b":[1,-2,3.5,true,null,"x"],"a":{"z":{}}, "c":18446744073709551615})");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(write_json(*json), R"({"b":[1,-2,3.5,true,null,"x"],"a":{"z":{}},"c":18446744073709551615})");
}

TEST(ParseJson, TakesAnyValueAtTheTop) {
  for (const char* text : {"null", "0", "\"\"", "[]", "{}", " \t\r\n1 ", "-0.5e-3", "\"\\ud83d\\ude00\\u0000\""}) {
    EXPECT_TRUE(parse_json(text)) << text;
  }
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "'a'",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "tru",
                           "NaN",
                           "Infinity",
                           "[1 2]",
                           "1 2",
                           "{}{}",
                           "[]x",
                           "// c\n1",
                           "/* c */1",
                           "\"\n\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"unterminated",
                           "[\"a\",",
                           "{\"a\"}",
                           "{\"a\":}",
                           "]",
                           "{1:2}",
                           "{null:2}"}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_REFUSED(parse_json(std::string_view()), "not valid JSON at byte 1");
}

TEST(ParseJson, RefusesInvalidUtf8) {
  for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                           "\"\xc3\"", "\"\x80\""}) {
    EXPECT_FALSE(parse_json(text));
  }
  EXPECT_TRUE(parse_json("\"h\xc3\xa9llo \xf0\x9f\x98\x80\""));
}

TEST(ParseJson, RefusesZeroBytesAndByteOrderMarks) {
  // The underlying lexer ends at a zero byte, so what follows would not be seen.
  EXPECT_TRUE(contains(complaint(std::string_view("1\0garbage", 9)), "zero byte at byte 2"));
  EXPECT_TRUE(contains(complaint(std::string_view("{}\0", 3)), "zero byte"));
  EXPECT_TRUE(contains(complaint("\xEF\xBB\xBF{}"), "byte order mark"));
}

TEST(ParseJson, RefusesDuplicateNamesOnEveryLevel) {
  EXPECT_TRUE(contains(complaint(R"({"a":1,"a":2})"), "two members of the same name"));
  EXPECT_TRUE(contains(complaint(R"({"x":[{"a":1,"\u0061":2}]})"), "two members of the same name"));
  EXPECT_TRUE(parse_json(R"({"a":{"a":1},"b":{"a":2}})"));
}

TEST(ParseJson, DepthLimitIsExact) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_TRUE(contains(complaint(nested(65)), "deeper than 64"));
  EXPECT_TRUE(contains(complaint(std::string(1000000, '[')), "deeper than 64"));
  EXPECT_TRUE(contains(complaint(R"({"a":{"b":{}}})", {.max_depth = 2}), "deeper than 2"));
  EXPECT_REFUSED(parse_json("[]", {.max_depth = 0}), "nested deeper than 0 levels");
  EXPECT_TRUE(parse_json("1", {.max_depth = 0}));
}

TEST(ParseJson, SizeAndValueLimitsAreExact) {
  EXPECT_TRUE(parse_json("[1]", {.max_bytes = 3}));
  EXPECT_EQ(parse_json("[1] ", {.max_bytes = 3}).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(parse_json("[1,2]", {.max_values = 3}));
  EXPECT_TRUE(contains(complaint("[1,2,3]", {.max_values = 3}), "more than 3 values"));
}

TEST(ParseJson, RefusesNumbersThatAreNotFinite) {
  EXPECT_TRUE(contains(complaint("[1e400]"), "number out of range"));
  EXPECT_TRUE(contains(complaint("-1e999"), "number out of range"));
  EXPECT_TRUE(parse_json("1e308"));
  EXPECT_TRUE(parse_json("100000000000000000000"));
}

TEST(ParseJson, ErrorsGiveThePositionAndNeverTheText) {
  const auto result = parse_json(R"({"prompt":"a secret", oops})");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kBadJson);
  EXPECT_EQ(result.error().message, "not valid JSON at byte 23");
}

TEST(ParseJson, EverySizeGivesWhatTheLibrarysOwnParserGives) {
  // Small texts, texts up to 1 MiB and larger ones are parsed in different ways.
  for (const std::size_t size : {10u, 60'000u, 70'000u, 1'000'000u, 1'100'000u}) {
    const std::string text = R"({"long":")" + std::string(size, 'x') +
                             R"(","n":[-0,0,-1,9223372036854775807,9223372036854775808,-9223372036854775808,1e2,-0.0,)"
                             R"(0.1],"e":"\u00e9\ud83d\ude00\n\/","o":{"":{},"a":[]},"t":[true,false,null]})";
    const auto json = parse_json(text);
    ASSERT_TRUE(json) << size << ": " << json.error().message;
    const Json other = Json::parse(text);
    EXPECT_TRUE(*json == other) << size;
    EXPECT_EQ(write_json(*json), write_json(other));
    for (std::size_t i = 1; i < other["n"].size(); ++i) EXPECT_EQ((*json)["n"][i].type(), other["n"][i].type()) << i;
  }
}

TEST(ParseJson, ManyMembersDoNotTakeQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += "\"member" + std::to_string(i) + "\":0,";
  text.back() = '}';
  const auto start = std::chrono::steady_clock::now();
  const auto json = parse_json(text);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 200000u);
  EXPECT_LT(took, std::chrono::seconds(20));  // quadratic time would take minutes
}

TEST(WriteJson, IsCompactAndReplacesWhatIsNotUtf8) {
  EXPECT_EQ(write_json(Json{{"text", "h\xc3\xa9"}, {"n", 1.5}}), "{\"text\":\"h\xc3\xa9\",\"n\":1.5}");
  EXPECT_EQ(write_json(Json("a\xff"
                            "b")),
            "\"a\xEF\xBF\xBD"
            "b\"");
}

TEST(Members, TypedAccessNamesTheMember) {
  const Json json = {{"s", "text"}, {"o", Json::object()}, {"a", Json::array({1})}, {"n", 1}};
  EXPECT_EQ(*string_member(json, "s"), "text");
  EXPECT_TRUE((*object_member(json, "o"))->empty());
  EXPECT_EQ((*array_member(json, "a"))->size(), 1u);
  const auto missing = string_member(json, "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().param, "missing");
  EXPECT_TRUE(contains(string_member(json, "n").error().message, "expected `n` to be a string, got number"));
  EXPECT_FALSE(object_member(json, "a"));
  EXPECT_FALSE(array_member(json, "o"));
  EXPECT_TRUE(contains(string_member(Json::array(), "s").error().message, "expected an object"));
}

}  // namespace
}  // namespace cloister::codec
