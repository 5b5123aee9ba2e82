#include "codec/reply_id.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

std::string id_of(bool events, std::string_view text, std::size_t piece) {
  ReplyId reply(events);
  for (std::size_t at = 0; at < text.size(); at += piece) reply.feed(text.substr(at, piece));
  return reply.id();
}

void expect_id(bool events, std::string_view text, std::string_view id) {
  for (std::size_t piece : {1u, 2u, 5u, 1u << 20}) EXPECT_EQ(id_of(events, text, piece), id) << text << " in pieces of " << piece;
}

TEST(ReplyId, OfABufferedReply) {
  expect_id(false, R"({"id":"chatcmpl-1","choices":[{"id":"no"}]})", "chatcmpl-1");
  expect_id(false, R"({"choices":[{"id":"no","text":"\"id\":\"no\""}],"id":"chatcmpl-last"})", "chatcmpl-last");
  expect_id(false, R"({"choices":[]})", "");
  expect_id(false, R"([{"id":"x"}])", "");
  expect_id(false, "ID3\x04 audio", "");
  expect_id(false, "", "");
}

TEST(ReplyId, OfAStream) {
  expect_id(true, "data: {\"id\":\"c-1\",\"choices\":[]}\n\ndata: [DONE]\n\n", "c-1");
  expect_id(true, ": ping\n\ndata:{\"id\":\"c-2\"}\r\n\r\n", "c-2");
  expect_id(true, "event: response.created\ndata: {\"type\":\"x\",\"response\":{\"id\":\"resp_1\"}}\n\n", "resp_1");
  expect_id(true, "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\r\n\r\n", "msg_1");
  expect_id(true, "id: 7\ndata: {\"x\":1}\n\ndata: {\"id\":\"second-event\"}\n\n", "second-event");
  expect_id(true, "data: {\"a\":1,\r\ndata: \"id\":\"two-lines\"}\r\n\r\n", "two-lines");
  expect_id(true, "data: [DONE]\n\n", "");
  expect_id(true, "datax: {\"id\":\"no\"}\n\n", "");
  expect_id(true, "{\"id\":\"no\"}\n\n", "");
}

TEST(ReplyId, OnlyWhatFitsAPath) {
  for (const char* id : {"", "a/b", "a b", "tab\\t", "\\u4e16", "nul\\u0000"}) {
    expect_id(false, "{\"id\":\"" + std::string(id) + "\"}", "");
  }
  expect_id(false, "{\"id\":\"" + std::string(256, 'x') + "\"}", std::string(256, 'x'));
  expect_id(false, "{\"id\":\"" + std::string(257, 'x') + "\"}", "");
  expect_id(false, R"({"id":17})", "");
}

TEST(ReplyId, StopsLookingAtItsLimit) {
  ReplyId events(true);
  const std::string comment = ":" + std::string(1023, 'x') + "\n";
  for (std::size_t i = 0; i < ReplyId::kEventsLimitBytes / comment.size() + 1; ++i) events.feed(comment);
  EXPECT_TRUE(events.done());
  events.feed("data: {\"id\":\"late\"}\n\n");
  EXPECT_EQ(events.id(), "");

  ReplyId buffered(false);
  buffered.feed("{\"text\":\"" + std::string(ReplyId::kBufferedLimitBytes, 'x'));
  EXPECT_TRUE(buffered.done());
}

TEST(ReplyId, IsDoneWithIdAndModel) {
  ReplyId reply(true);
  reply.feed("data: {\"id\":\"c-1\"");
  EXPECT_FALSE(reply.done());
  EXPECT_EQ(reply.id(), "c-1");
  reply.feed(",\"model\":\"m\"");
  EXPECT_TRUE(reply.done());
  EXPECT_EQ(reply.model(), "m");
}

std::string model_of(bool events, std::string_view text, std::size_t piece) {
  ReplyId reply(events);
  for (std::size_t at = 0; at < text.size(); at += piece) reply.feed(text.substr(at, piece));
  return reply.model();
}

TEST(ReplyId, TheModelIsTheReplysOwnWord) {
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
      {true, "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"c\"}}\n\n", "c"},
      {true, "data: {\"response\":{\"model\":\"r\"}}\n\n", "r"},
      {true, "data: [DONE]\n\n", ""},
  };
  for (const Row& row : table) {
    for (std::size_t piece : {1u, 3u, 1u << 20}) EXPECT_EQ(model_of(row.events, row.text, piece), row.model) << row.text;
  }
}

}  // namespace
}  // namespace cloister::codec
