// Checks that what our writers write is parsed to the same reply, buffered and streamed.
#include "engine/dialect/reply_reader.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "engine/dialect/make_reply_writer.h"
#include "engine/dialect/reply_writer.h"

namespace cloister::engine {
namespace {

std::string write(Route route, bool stream, bool with_call = true, FinishReason finish = FinishReason::kToolCalls) {
  ReplyHead head;
  head.route = route;
  head.id = "id-1";
  head.model = "m";
  head.stream = stream;
  head.include_usage = true;
  const auto writer = make_reply_writer(head);
  std::string out;
  writer->begin(out, {7, 0, 0});
  if (route != Route::kCompletions) writer->reasoning(out, 0, "because");
  writer->text(out, 0, "Hél", {});
  writer->text(out, 0, "lo", {});
  if (with_call && route != Route::kCompletions) {
    writer->tool_call(out, 0, 0, "call-1", "weather", "");
    writer->tool_call(out, 0, 0, "", "", R"({"city":)");
    writer->tool_call(out, 0, 0, "", "", R"("Rome"})");
  }
  writer->finish(out, 0, finish, "");
  writer->end(out, {7, 0, 5});
  return out;
}

TEST(ReplyReader, ReadsWhatTheWritersWrite) {
  for (const Route route : {Route::kChatCompletions, Route::kResponses, Route::kMessages}) {
    for (const bool stream : {false, true}) {
      const std::string body = write(route, stream);
      const auto reply = read_reply(route, body);
      ASSERT_TRUE(reply) << reply.error().message << "\n" << body;
      ASSERT_EQ(reply->choices.size(), 1u);
      EXPECT_EQ(reply->choices[0].text, "Héllo") << body;
      EXPECT_EQ(reply->choices[0].reasoning, "because") << body;
      EXPECT_EQ(reply->choices[0].calls, R"(weather {"city":"Rome"})") << body;
      EXPECT_FALSE(reply->choices[0].finish.empty()) << body;
      EXPECT_EQ(reply->prompt_tokens, 7u) << body;
      EXPECT_EQ(reply->completion_tokens, 5u) << body;
    }
    EXPECT_EQ(read_reply(route, write(route, true))->choices, read_reply(route, write(route, false))->choices);
    const auto other = read_reply(route, write(route, false, false, FinishReason::kLength));
    EXPECT_NE(other->choices[0].finish, read_reply(route, write(route, false))->choices[0].finish);
  }
  for (const bool stream : {false, true}) {
    const auto reply = read_reply(Route::kCompletions, write(Route::kCompletions, stream, false, FinishReason::kStop));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->choices[0].text, "Héllo");
    EXPECT_EQ(reply->choices[0].finish, "stop");
    EXPECT_EQ(reply->completion_tokens, 5u);
  }
}

// The length of a prompt is not the part of it that was still cached.
TEST(ReplyReader, CountsWhatWasCachedToo) {
  for (const bool stream : {false, true}) {
    ReplyHead head;
    head.route = Route::kMessages;
    head.stream = stream;
    const auto writer = make_reply_writer(head);
    std::string out;
    writer->begin(out, {7, 3, 0});
    writer->finish(out, 0, FinishReason::kStop, "");
    writer->end(out, {7, 3, 5});
    const auto reply = read_reply(Route::kMessages, out);
    ASSERT_TRUE(reply) << out;
    EXPECT_EQ(reply->prompt_tokens, 7u) << out;
    EXPECT_EQ(reply->completion_tokens, 5u) << out;
  }
}

TEST(ReplyReader, SeveralChoices) {
  ReplyHead head;
  head.choices = 2;
  for (const bool stream : {false, true}) {
    head.stream = stream;
    const auto writer = make_reply_writer(head);
    std::string out;
    writer->begin(out, {});
    writer->text(out, 1, "b", {});
    writer->text(out, 0, "a", {});
    writer->finish(out, 1, FinishReason::kStop, "");
    writer->finish(out, 0, FinishReason::kLength, "");
    writer->end(out, {});
    const auto reply = read_reply(Route::kChatCompletions, out);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->choices, (std::vector<ReadChoice>{{"a", "", "", "length"}, {"b", "", "", "stop"}}));
  }
}

TEST(ReplyReader, AStreamThatWasCutIsReadAsFarAsItGoes) {
  const std::string whole = write(Route::kChatCompletions, true);
  const auto reply = read_reply(Route::kChatCompletions, whole.substr(0, whole.find("lo\"") + 1));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->choices[0].text, "Hél");
  EXPECT_EQ(reply->choices[0].finish, "");
}

TEST(ReplyReader, WhatIsNoReplyIsAnError) {
  EXPECT_REFUSED(read_reply(Route::kEmbeddings, "{}"), "replies of this route hold no text that a model has generated");
  for (const char* body : {"", "[]", "{}", "nothing", "data: [DONE]\n\n", "data: {\n\n", "data: 5\n\n"}) {
    EXPECT_FALSE(read_reply(Route::kChatCompletions, body)) << body;
  }
  EXPECT_TRUE(read_reply(Route::kChatCompletions, R"({"choices":[{"message":[],"finish_reason":5}]})"))
      << "of odd types: empty";
}

}  // namespace
}  // namespace cloister::engine
