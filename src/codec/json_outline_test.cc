#include "codec/json_outline.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace cloister::codec {
namespace {

constexpr JsonOutline::Watch kWatches[] = {{"", "id"}, {"response", "id"}, {"", "model"}};

JsonOutline outline_of(std::string_view text, std::size_t piece = 1 << 20) {
  JsonOutline outline(kWatches);
  for (std::size_t at = 0; at < text.size(); at += piece) outline.feed(text.substr(at, piece));
  return outline;
}

TEST(JsonOutline, FindsMembersWhateverThePieces) {
  const std::string text =
      R"( {"choices":[{"id":"no","message":{"id":"no","content":"\"id\": \\"}}],"n":-1.5e+3,"t":true,"id" : "a\u0062\/c","model":"m"} )";
  for (std::size_t piece : {1u, 2u, 3u, 7u, 4096u}) {
    const JsonOutline outline = outline_of(text, piece);
    EXPECT_TRUE(outline.whole()) << piece;
    EXPECT_EQ(outline.text(0), "ab/c") << piece;
    EXPECT_FALSE(outline.has(1)) << piece;
    EXPECT_EQ(outline.text(2), "m") << piece;
    EXPECT_EQ(outline.end_position(), text.size() - 2) << piece;
  }
}

TEST(JsonOutline, LooksIntoTheNamedObjectOnly) {
  EXPECT_EQ(outline_of(R"({"type":"response.created","response":{"x":{"id":"no"},"id":"resp_1"}})").text(1), "resp_1");
  EXPECT_FALSE(outline_of(R"({"other":{"id":"no"}})").has(1));
  EXPECT_FALSE(outline_of(R"({"response":[{"id":"no"}]})").has(1));
  EXPECT_FALSE(outline_of(R"({"response":"x","y":{"id":"no"}})").has(1));
  EXPECT_FALSE(outline_of(R"({"response":{"id":"x"}})").has(0));
}

TEST(JsonOutline, NamesCannotHideBehindEscapes) {
  EXPECT_TRUE(outline_of(R"({"\u0069d":1})").has(0));
  EXPECT_TRUE(outline_of(R"({"i\u0064":null})").has(0));
  EXPECT_FALSE(outline_of(R"({"\\u0069d":1})").has(0));
}

TEST(JsonOutline, TakesTheFirstOfTwoAndNoTextOfOtherTypes) {
  EXPECT_EQ(outline_of(R"({"id":"first","id":"second"})").text(0), "first");
  EXPECT_EQ(outline_of(R"({"id":5,"id":"second"})").text(0), "");
  EXPECT_TRUE(outline_of(R"({"id":{"id":"x"}})").has(0));
  EXPECT_EQ(outline_of(R"({"id":["x"]})").text(0), "");
}

constexpr JsonOutline::Watch kMore[] = {{"", "usage"}, {"response", "usage"}, {"choices", "finish_reason", true}};

JsonOutline more_of(std::string_view text, std::size_t piece = 1 << 20) {
  JsonOutline outline(kMore);
  for (std::size_t at = 0; at < text.size(); at += piece) outline.feed(text.substr(at, piece));
  return outline;
}

TEST(JsonOutline, KeepsObjectsAsTheyStand) {
  const std::string text =
      R"({"usage" : {"a":{"b":"}\""},"c":[1, 2]} ,"response":{"usage":{},"x":1},"y":{"usage":{"no":1}}})";
  for (std::size_t piece : {1u, 2u, 3u, 7u, 4096u}) {
    const JsonOutline outline = more_of(text, piece);
    EXPECT_TRUE(outline.whole() && !outline.ambiguous());
    EXPECT_EQ(outline.object(0), R"({"a":{"b":"}\""},"c":[1, 2]})");
    EXPECT_EQ(outline.object(1), "{}");
  }
  EXPECT_EQ(more_of(R"({"usage":[{"a":1}]})").object(0), "");
  EXPECT_EQ(more_of(R"({"usage":{"a":")" + std::string(JsonOutline::kMaxObjectBytes, 'x') + "\"}}").object(0), "");
}

TEST(JsonOutline, LooksIntoItemsOfTheNamedArray) {
  const JsonOutline outline = more_of(
      R"({"choices":[{"finish_reason":null},{"finish_reason":"stop","x":{"finish_reason":"no"}},[{"finish_reason":"no"}]]})");
  EXPECT_EQ(outline.text(2), "stop");
  EXPECT_FALSE(outline.ambiguous());
  EXPECT_FALSE(more_of(R"({"choices":{"finish_reason":"no"}})").has(2));
  EXPECT_FALSE(more_of(R"({"other":[{"finish_reason":"no"}]})").has(2));
}

TEST(JsonOutline, NamesWhatHasTwoReadings) {
  for (const char* text :
       {R"({"id":1,"id":2})", R"({"id":1,"\u0069d":2})", R"({"i\u0064":1,"\u0069d":2})", R"({"Id":1})",
        R"({"id":1,"x":2,"ID":3})", R"({"response":{"id":1},"response":{}})", R"({"response":1,"Response":{}})",
        R"({"response":{"id":1,"id":2}})", R"({"re\u0073ponse":{"\u0049d":1}})", "{\"re\xc5\xbfponse\":1}",
        "{\"mo\xff\":1}", R"({"mo\ud800":1})"}) {
    for (std::size_t piece : {1u, 3u, 100u}) EXPECT_TRUE(outline_of(text, piece).ambiguous()) << text;
  }
  EXPECT_TRUE(more_of(R"({"choices":[{"finish_reason":"a","finish_reason":"b"}]})").ambiguous());
  for (const char* text : {R"({"id":1,"x":{"id":2,"id":3},"y":[{"id":4}],"response":{"id":5,"x":{"id":6}}})",
                           R"({"x":1,"x":2,"ids":3,"":{"id":1}})", R"({"id":"\"id\":2"})"}) {
    EXPECT_FALSE(outline_of(text).ambiguous()) << text;
  }
}

TEST(JsonOutline, IsNewAfterAReset) {
  JsonOutline outline = outline_of(R"({"id":"x","id":1,"response":{"id":"y"}})");
  outline.reset();
  EXPECT_FALSE(outline.begun() || outline.whole() || outline.has(0) || outline.has_members() || outline.ambiguous());
  outline.feed(R"({"model":"m"})");
  EXPECT_TRUE(outline.whole() && !outline.ambiguous());
  EXPECT_EQ(outline.text(0) + outline.text(1) + outline.text(2), "m");
}

TEST(JsonOutline, TextIsBounded) {
  EXPECT_EQ(outline_of(R"({"id":")" + std::string(JsonOutline::kMaxTextBytes, 'a') + "\"}").text(0).size(),
            JsonOutline::kMaxTextBytes);
  const JsonOutline outline = outline_of(R"({"id":")" + std::string(JsonOutline::kMaxTextBytes + 1, 'a') + "\"}", 100);
  EXPECT_TRUE(outline.has(0));
  EXPECT_EQ(outline.text(0), "");
}

TEST(JsonOutline, SaysWhatIsNoObject) {
  for (const char* text : {"[]", "5", "\"x\"", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,,}", "{a:1}", "{}x", "{}{}",
                           "{\"a\":[}]", "{\"a\":\x01}", "nul", "\xef\xbb\xbf{}"}) {
    EXPECT_TRUE(outline_of(text).broken()) << text;
  }
  for (const char* text : {"", " ", "{", "{\"a", "{\"a\":", "{\"a\":1", "{\"a\":\"}", "{\"a\":{}"}) {
    EXPECT_FALSE(outline_of(text).whole()) << text;
  }
  const std::string deep(JsonOutline::kMaxDepth, '[');
  EXPECT_TRUE(outline_of("{\"a\":" + deep).broken());
}

TEST(JsonOutline, NamesWhatAStrictReaderRefuses) {
  for (const char* value : {"01",
                            "-01",
                            "00",
                            "+1",
                            ".5",
                            "1.",
                            "-",
                            "--1",
                            "1-",
                            "0x10",
                            "1e",
                            "1e+",
                            "1e+-1",
                            "1.e1",
                            "1.2.3",
                            "1e1.5",
                            "1e1e1",
                            "NaN",
                            "-NaN",
                            "Infinity",
                            "-Infinity",
                            "undefined",
                            "True",
                            "tru",
                            "truee",
                            "nul",
                            "nulls",
                            "falsE",
                            "e",
                            "\"\\q\"",
                            "\"\\x41\"",
                            "\"\\u12\"",
                            "\"\\u12G4\"",
                            "\"\\u123\\n\"",
                            "\"\\U0041\"",
                            "\"a\tb\"",
                            "\"a\nb\"",
                            "\"\x1f\"",
                            "\"\xff\"",
                            "\"\x80\"",
                            "\"\xc0\xaf\"",
                            "\"\xc1\xaf\"",
                            "\"\xc3\"",
                            "\"\xc3x\"",
                            "\"\xc3\\n\"",
                            "\"\xe0\x80\x80\"",
                            "\"\xed\xa0\x80\"",
                            "\"\xf0\x80\x80\x80\"",
                            "\"\xf4\x90\x80\x80\"",
                            "\"\xf5\x80\x80\x80\"",
                            "\"\xe4\xb8\"",
                            "\"0123456789abcde\x1f\"",
                            "\"01234567\xff\"",
                            "[1,01]",
                            "{\"a\\q\":1}",
                            "{\"\xff\":1}"}) {
    const std::string text = "{\"id\":\"i\",\"x\":" + std::string(value) + ",\"y\":1}";
    for (std::size_t piece : {1u, 2u, 3u, 5u, 4096u}) {
      const JsonOutline outline = outline_of(text, piece);
      EXPECT_TRUE(outline.malformed()) << text << " in pieces of " << piece;
      EXPECT_TRUE(outline.whole()) << text;
    }
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_TRUE(outline_of(std::string("{\"x\":\"a\0b\"}", 11)).malformed());
  JsonOutline outline = outline_of("{\"x\":\"\xc3\"}");
  outline.reset();
  outline.feed("{}");
  EXPECT_FALSE(outline.malformed());
}

TEST(JsonOutline, TakesAllOfTheGrammar) {
  for (const char* value : {"0",
                            "-0",
                            "10",
                            "-1.50",
                            "0.5",
                            "1e5",
                            "1E+05",
                            "0e-0",
                            "123.456e789",
                            "true",
                            "false",
                            "null",
                            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF\"",
                            "\"\x7f\"",
                            "\"\xc2\x80\"",
                            "\"\xdf\xbf\"",
                            "\"\xe0\xa0\x80\"",
                            "\"\xed\x9f\xbf\"",
                            "\"\xee\x80\x80\"",
                            "\"\xf0\x90\x80\x80\"",
                            "\"\xf4\x8f\xbf\xbf\"",
                            "\"0123456789 a longer text, \xe4\xb8\x96\xe7\x95\x8c, and more of it\"",
                            "\"\\ud83d\\ude00\"",
                            "[0,\n-1 ,\t[] ]"}) {
    const std::string text = "{\"x\":" + std::string(value) + "}";
    for (std::size_t piece : {1u, 2u, 3u, 5u, 4096u}) {
      const JsonOutline outline = outline_of(text, piece);
      EXPECT_TRUE(outline.whole() && !outline.malformed()) << text << " in pieces of " << piece;
    }
  }
}

// Seconds, were the end of the string looked for behind each escape.
TEST(JsonOutline, ManyEscapesInOneString) {
  std::string text = "{\"x\":\"";
  for (int i = 0; i < 400000; ++i) text += "line\\n\\\"";
  text += "\",\"id\":\"i\"}";
  const JsonOutline outline = outline_of(text, text.size());
  EXPECT_TRUE(outline.whole() && !outline.malformed());
  EXPECT_EQ(outline.text(0), "i");
}

TEST(JsonOutline, TellsBlanksAndWhatIsTooLarge) {
  for (const char* value : {"null", "\"\""})
    EXPECT_TRUE(outline_of("{\"id\":" + std::string(value) + "}").blank(0)) << value;
  for (const char* value : {"0", "\"x\"", "\"\\ud800\"", "[]", "{}", "false"})
    EXPECT_FALSE(outline_of("{\"id\":" + std::string(value) + "}").blank(0)) << value;
  EXPECT_TRUE(more_of(R"({"usage":{"a":")" + std::string(JsonOutline::kMaxObjectBytes, 'x') + "\"}}").too_large(0));
  EXPECT_FALSE(more_of(R"({"usage":{"a":1}})").too_large(0));
}

TEST(JsonOutline, EmptyObject) {
  EXPECT_TRUE(outline_of(" { \n} ").whole());
  EXPECT_FALSE(outline_of("{ }").has_members());
  EXPECT_TRUE(outline_of(R"({"":1})").has_members());
}

// The outline accepts everything that the strict parser accepts, with the same string members.
TEST(JsonOutline, AgreesWithTheParser) {
  for (const char* text : {R"({"id":"x","a":{"b":[1,2,{"c":[]}]},"d":null})", R"({"id":"\ud83d\ude00"})",
                           R"({"a":"\\","id":"\\\""})", R"({"a":[[],{},""],"id":""})", "{\"id\":\"\xe4\xb8\x96\"}"}) {
    const Result<Json> json = parse_json(text);
    ASSERT_TRUE(json) << text;
    for (std::size_t piece : {1u, 100u}) {
      const JsonOutline outline = outline_of(text, piece);
      EXPECT_TRUE(outline.whole() && !outline.malformed()) << text;
      EXPECT_EQ(outline.text(0), json->at("id").get<std::string>()) << text;
    }
  }
}

}  // namespace
}  // namespace cloister::codec
