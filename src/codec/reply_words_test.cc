#include "codec/reply_words.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

constexpr std::size_t kPieces[] = {1, 2, 3, 5, 1u << 20};

ReplyWords words_of(bool events, std::string_view text, std::size_t piece = 1 << 20) {
  ReplyWords words(events);
  for (std::size_t at = 0; at < text.size(); at += piece) words.feed(text.substr(at, piece));
  return words;
}

void expect_id(bool events, std::string_view text, std::string_view id) {
  for (const std::size_t piece : kPieces)
    EXPECT_EQ(words_of(events, text, piece).id(), id) << text << " in pieces of " << piece;
}

std::string event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }

TEST(ReplyWords, IdOfABufferedReply) {
  expect_id(false, R"({"id":"chatcmpl-1","choices":[{"id":"no"}]})", "chatcmpl-1");
  expect_id(false, R"({"choices":[{"id":"no","text":"\"id\":\"no\""}],"id":"chatcmpl-last"})", "chatcmpl-last");
  expect_id(false, R"({"choices":[]})", "");
  expect_id(false, R"([{"id":"x"}])", "");
  expect_id(false, R"({"id":"cut")", "");
  expect_id(false, "ID3\x04 audio", "");
  expect_id(false, "", "");
}

TEST(ReplyWords, IdOfAStream) {
  expect_id(true, "data: {\"id\":\"c-1\",\"choices\":[]}\n\ndata: [DONE]\n\n", "c-1");
  expect_id(true, ": ping\n\ndata:{\"id\":\"c-2\"}\r\n\r\n", "c-2");
  expect_id(true, "data:{\"id\":\"c-3\"}\r\r", "c-3");
  expect_id(true,
            "\xef\xbb\xbf"
            "data:{\"id\":\"c-4\"}\n\n",
            "c-4");
  expect_id(true,
            "\xef\xbb"
            "data:{\"id\":\"no\"}\n\n",
            "");
  expect_id(true, "event: response.created\ndata: {\"type\":\"x\",\"response\":{\"id\":\"resp_1\"}}\n\n", "resp_1");
  expect_id(true, "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\r\n\r\n",
            "msg_1");
  expect_id(true, "id: 7\ndata: {\"x\":1}\n\ndata: {\"id\":\"second-event\"}\n\n", "second-event");
  expect_id(true, "data: {\"a\":1,\r\ndata: \"id\":\"two-lines\"}\r\n\r\n", "two-lines");
  expect_id(true, "data: {\"id\":\"first\"}\n\ndata: {\"id\":\"second\"}\n\n", "first");
  expect_id(true, "data: {\"id\":\"no event yet\"}\n", "");
  expect_id(true, "data: [DONE]\n\n", "");
  expect_id(true, "datax: {\"id\":\"no\"}\n\n", "");
  expect_id(true, "data\n{\"id\":\"no\"}\n\n", "");
  expect_id(true, "{\"id\":\"no\"}\n\n", "");
}

TEST(ReplyWords, OnlyAnIdThatFitsAPath) {
  for (const char* id : {"", "a/b", "a b", "tab\\t", "\\u4e16", "nul\\u0000"}) {
    expect_id(false, "{\"id\":\"" + std::string(id) + "\"}", "");
  }
  expect_id(false, "{\"id\":\"" + std::string(256, 'x') + "\"}", std::string(256, 'x'));
  expect_id(false, "{\"id\":\"" + std::string(257, 'x') + "\"}", "");
  expect_id(false, R"({"id":17})", "");
}

TEST(ReplyWords, TheModelIsTheReplysOwnWord) {
  struct Row {
    bool events;
    std::string text;
    const char* model;
  };
  const Row table[] = {
      {false, R"({"model":"org/name","choices":[{"model":"no"}],"id":"1"})", "org/name"},
      {false, R"({"id":"1","choices":[{"text":"\"model\":\"no\""}]})", ""},
      {false, R"({"model":5})", ""},
      {false, R"({"model":null,"id":"x"})", ""},
      {false, "{\"model\":\"\xff\"}", ""},
      {false, "{\"model\":\"" + std::string(1025, 'x') + "\"}", ""},
      {true, "data: {\"id\":\"1\"}\n\ndata: {\"id\":\"1\",\"model\":\"m\"}\n\n", "m"},
      {true, "data: {\"model\":\"m\"}\n\ndata: {\"model\":\"m\"}\n\n", "m"},
      {true, "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"c\"}}\n\n", "c"},
      {true, "data: {\"response\":{\"model\":\"r\"}}\n\n", "r"},
      {true, "data: [DONE]\n\n", ""},
  };
  for (const Row& row : table) {
    for (const std::size_t piece : kPieces)
      EXPECT_EQ(words_of(row.events, row.text, piece).model(), row.model) << row.text;
  }
}

TEST(ReplyWords, TheLastCountsAreTheReplys) {
  const std::string stream = event(R"({"choices":[{"finish_reason":null}],"usage":{"a":1}})") +
                             event(R"({"choices":[{"finish_reason":"stop"}],"usage":null})") +
                             event(R"({"choices":[],"usage":{"a": 2}})") + event("[DONE]");
  for (const std::size_t piece : kPieces) {
    const ReplyWords words = words_of(true, stream, piece);
    EXPECT_EQ(words.usage(), R"({"a": 2})");
    EXPECT_EQ(words.reason(), "stop");
  }
  EXPECT_EQ(words_of(true, event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})")).reason(),
            "end_turn");
  EXPECT_EQ(words_of(false, R"({"stop_reason":"max_tokens"})").reason(), "max_tokens");
}

// Each is a reply that says "m" and counts to one reader, and something else to another.
TEST(ReplyWords, NothingIsTakenOutOfAReplyWithTwoReadings) {
  const std::string rest = R"("id":"i","model":"m","usage":{"a":1},"choices":[{"finish_reason":"stop"}])";
  std::vector<std::string> objects;
  for (const char* more :
       {R"("model":"x")", R"("mod\u0065l":"x")", R"("\u006d\u006f\u0064\u0065\u006c":"m")", R"("Model":"x")",
        R"("usage":{"a":2})", R"("usa\u0067e":null)", R"("USAGE":{})", R"("id":"j")", R"("response":{"model":"x"})",
        R"("message":{"usage":{"a":2}})", R"("response":{"model":"m","model":"x"})",
        R"("choices":[{"finish_reason":"a"}])", R"("stop_reason":"a","stop_reason":"b")"}) {
    objects.push_back("{" + rest + "," + more + "}");
    objects.push_back("{" + std::string(more) + "," + rest + "}");
  }
  for (const char* end : {",}", "}}", "} {\"model\":\"x\"}", "}\x01", "/**/}"}) objects.push_back("{" + rest + end);
  objects.push_back("{\"text\":\"" + std::string(3u << 20, 'x') + "\"," + rest + ",\"model\":\"x\"}");
  for (const std::string& object : objects) {
    for (const bool events : {false, true}) {
      for (const std::size_t piece : {1u, 3u, 1u << 22}) {
        const ReplyWords words = words_of(events, events ? event(object) + event("[DONE]") : object, piece);
        EXPECT_TRUE(words.ambiguous()) << object.substr(0, 200);
        EXPECT_EQ(std::string(words.id()).append(words.model()).append(words.usage()).append(words.reason()), "")
            << object.substr(0, 200);
      }
    }
  }
  const ReplyWords sane = words_of(false, "{" + rest + "}");
  EXPECT_TRUE(!sane.ambiguous() && sane.model() == "m" && sane.usage() == "{\"a\":1}" && sane.reason() == "stop" &&
              sane.id() == "i");
}

TEST(ReplyWords, EventsAgreeOrSayNothing) {
  const std::string first = event(R"({"id":"i","model":"m"})");
  for (const std::string& second :
       {event(R"({"model":"x"})"), event(R"({"model":"m")"), event(R"({"message":{"model":"x"}})"),
        std::string("data: {\"model\":\"m\",\ndata: \"model\":\"m\"}\n\n"), event(R"({"model":"m"} {})")}) {
    for (const std::size_t piece : kPieces) EXPECT_TRUE(words_of(true, first + second, piece).ambiguous()) << second;
  }
  EXPECT_EQ(words_of(true, first + "data: {\"model\":\"cut").model(), "m") << "an event that has no end is none";
}

// Clients stop at "[DONE]".
TEST(ReplyWords, NothingBehindTheEndCounts) {
  const std::string first = event(R"({"id":"i"})"), late = event(R"({"id":"i","model":"m","usage":{"a":1}})");
  for (const std::string& done :
       {event("[DONE]"), std::string("data:[DONE]\n\n"), std::string("data:  [DONE] \n\n"),
        std::string("data: [DONE]\r\n\r\n"), std::string("data: [DONE]\n"), std::string("data: [DONE]x\n\n"),
        std::string("data:\ndata: [DONE]\n\n"), event("[DONE]") + ": comment\n\n"}) {
    for (const std::size_t piece : kPieces) {
      EXPECT_TRUE(words_of(true, first + done + late, piece).ambiguous()) << done;
      EXPECT_TRUE(words_of(true, first + done + event("[DONE]"), piece).ambiguous()) << done;
      EXPECT_TRUE(words_of(true, first + done + event("x"), piece).ambiguous()) << done;
      const ReplyWords words = words_of(true, late + done + ": comment\n\nevent: x\n\ndata:\n\ndata: \n\n", piece);
      EXPECT_EQ(words.model(), "m") << done;
      EXPECT_EQ(words.usage(), "{\"a\":1}") << done;
    }
  }
}

// Some clients strip more than JSON's white space, or look into arrays.
TEST(ReplyWords, AnObjectBehindSomethingElseHasTwoReadings) {
  const std::string first = event(R"({"id":"i","model":"m"})");
  for (const char* data : {"\x0b{\"model\":\"x\"}", "\xc2\xa0{\"model\":\"x\"}", "\xef\xbb\xbf{}",
                           "[{\"model\":\"x\"}]", "x\ndata: {}", "[DONE]{}"}) {
    for (const std::size_t piece : kPieces) EXPECT_TRUE(words_of(true, first + event(data), piece).ambiguous()) << data;
  }
  for (const char* data : {"ping", "[1]", "\"x\"", "5"})
    EXPECT_EQ(words_of(true, first + event(data)).model(), "m") << data;
}

TEST(ReplyWords, TextThatIsNoJsonSaysNothing) {
  for (const char* value : {"01", "+1", ".5", "0x10", "1e", "NaN", "undefined", "tru", "\"\\q\"", "\"\\x41\"",
                            "\"\\u12\"", "\"a\tb\"", "\"\xff\"", "\"\xc1\xaf\"", "\"\xed\xa0\x80\""}) {
    const std::string object = "{\"id\":\"i\",\"model\":\"m\",\"x\":" + std::string(value) + ",\"usage\":{\"a\":1}}";
    for (const bool events : {false, true}) {
      for (const std::size_t piece : kPieces) {
        const ReplyWords words =
            words_of(events, events ? event(R"({"model":"m"})") + event(object) + event("[DONE]") : object, piece);
        EXPECT_TRUE(words.ambiguous()) << object;
        EXPECT_EQ(std::string(words.id()).append(words.model()).append(words.usage()), "") << object;
      }
    }
  }
}

TEST(ReplyWords, AModelOfAnotherTypeDisagrees) {
  const std::string named = event(R"({"model":"m"})");
  const std::string too_long = "\"" + std::string(JsonOutline::kMaxTextBytes + 1, 'x') + "\"";
  for (const std::string& value : {std::string("5"), std::string("[\"zz\"]"), std::string("{\"id\":\"zz\"}"),
                                   std::string("false"), std::string("\"M\""), std::string("\"m\\ud800\""), too_long}) {
    const std::string other = "{\"model\":" + value + "}";
    for (const std::size_t piece : kPieces) {
      EXPECT_TRUE(words_of(true, named + event(other), piece).ambiguous()) << value;
      EXPECT_TRUE(words_of(true, event(other) + named, piece).ambiguous()) << value;
    }
    EXPECT_TRUE(words_of(false, "{\"model\":\"m\",\"message\":" + other + "}").ambiguous()) << value;
  }
  // A model that is blank is not known yet; behind a name it is another.
  for (const char* blank : {R"({"model":null})", R"({"model":""})"}) {
    EXPECT_TRUE(words_of(true, named + event(blank)).ambiguous()) << blank;
    EXPECT_EQ(words_of(true, event(blank) + event("{}") + named).model(), "m") << blank;
    EXPECT_TRUE(words_of(false, R"({"model":"m","response":)" + std::string(blank) + "}").ambiguous());
  }
}

TEST(ReplyWords, CountsTooLargeToKeepAreNone) {
  const std::string large = R"({"usage":{"a":")" + std::string(JsonOutline::kMaxObjectBytes, 'x') + "\"}}";
  EXPECT_EQ(words_of(true, event(R"({"model":"m","usage":{"a":1}})") + event(large)).usage(), "");
  EXPECT_EQ(words_of(true, event(large) + event(R"({"usage":{"a":1}})")).usage(), "{\"a\":1}");
}

TEST(ReplyWords, AnthropicsStreamsBeginWithCounts) {
  const std::string start = event(R"({"type":"message_start","message":{"model":"m","usage":{"a":1}}})");
  const ReplyWords words = words_of(true, start + event(R"({"type":"message_delta","usage":{"b":2}})"));
  EXPECT_EQ(words.opening_usage(), "{\"a\":1}");
  EXPECT_EQ(words.usage(), "{\"b\":2}");
  EXPECT_TRUE(words_of(true, start + event(R"({"message":{"usage":{"a":2}}})")).ambiguous());
}

}  // namespace
}  // namespace cloister::codec
