#include "engine/echo/echo_engine.h"

#include <gtest/gtest.h>

#include "engine/testing/recording_sink.h"

namespace cloister::engine {
namespace {

using testing::ask;
using testing::make_request;
using testing::RecordingSink;
using testing::Reply;
using testing::user_says;

Json with(Json body, const Json& more) {
  body.update(more);
  return body;
}

TEST(EchoEngine, SaysTheLastUserMessage) {
  auto engine = make_echo_engine({});
  Json body = Json::parse(
      R"({"messages":[{"role":"user","content":"first"},{"role":"assistant","content":"ok"},
          {"role":"user","content":[{"type":"text","text":"Grüße,  an "},{"type":"text","text":"alle\n\"hier\" "}]}]})");
  for (bool stream : {false, true}) {
    Reply reply = ask(*engine, Route::kChatCompletions, body, stream);
    EXPECT_EQ(reply.text(), "Grüße,  an alle\n\"hier\" ");
    EXPECT_EQ(reply.outcome.usage.completion_tokens, 5u);  // the trailing white space is a token of its own
    EXPECT_EQ(reply.outcome.usage.prompt_tokens, 7u);
    EXPECT_EQ(reply.outcome.finish_reason, "stop");
  }
}

TEST(EchoEngine, RepeatsToAFixedNumberOfTokens) {
  EchoOptions options;
  options.fixed_tokens = 5;
  auto engine = make_echo_engine(options);
  EXPECT_EQ(ask(*engine, Route::kChatCompletions, user_says("a b"), true).text(), "a b a b a");
  Reply fewer = ask(*engine, Route::kChatCompletions, with(user_says("a b"), {{"max_tokens", 3}}));
  EXPECT_EQ(fewer.text(), "a b a");
  EXPECT_EQ(fewer.outcome.finish_reason, "length");
}

TEST(EchoEngine, StopsBeforeAStopString) {
  auto engine = make_echo_engine({});
  Reply reply = ask(*engine, Route::kChatCompletions, with(user_says("one two three two"), {{"stop", {"x", "two"}}}));
  EXPECT_EQ(reply.text(), "one ");
  EXPECT_EQ(reply.outcome.finish_reason, "stop");
  Json message =
      ask(*engine, Route::kMessages, with(user_says("one two"), {{"stop_sequences", {"two"}}, {"max_tokens", 9}}))
          .json();
  EXPECT_EQ(message["stop_reason"], "stop_sequence");
  EXPECT_EQ(message["stop_sequence"], "two");
}

TEST(EchoEngine, AnswersADemandForATool) {
  auto engine = make_echo_engine({});
  Json body = with(user_says("hi"), Json::parse(R"({"tools":[{"type":"function","function":{"name":"f"}}],
                                                    "tool_choice":"required"})"));
  Json message = ask(*engine, Route::kChatCompletions, body).json()["choices"][0]["message"];
  EXPECT_TRUE(message["content"].is_null());
  EXPECT_EQ(message["tool_calls"][0]["function"]["name"], "f");
  EXPECT_EQ(message["tool_calls"][0]["function"]["arguments"], "{\"text\":\"hi\"}");
  Reply streamed = ask(*engine, Route::kChatCompletions, body, true);
  EXPECT_EQ(streamed.events().back()["choices"][0]["finish_reason"], "tool_calls");
}

TEST(EchoEngine, KeepsItsDelays) {
  EchoOptions options;
  options.first_token_delay = std::chrono::milliseconds(40);
  options.token_gap = std::chrono::milliseconds(20);
  auto engine = make_echo_engine(options);
  auto begin = std::chrono::steady_clock::now();
  Reply reply = ask(*engine, Route::kChatCompletions, user_says("a b c"), true);
  auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, std::chrono::milliseconds(80));
  EXPECT_EQ(reply.text(), "a b c");
}

TEST(EchoEngine, TellsWhatStillRunsWhenItEnds) {
  EchoOptions options;
  options.first_token_delay = std::chrono::hours(1);
  auto engine = make_echo_engine(options);
  auto waits = std::make_shared<RecordingSink>();
  auto cancelled = std::make_shared<RecordingSink>();
  auto kept = engine->start(make_request(Route::kChatCompletions, user_says("a"), true), waits);
  auto dropped = engine->start(make_request(Route::kChatCompletions, user_says("b"), true), cancelled);
  ASSERT_TRUE(kept.has_value() && dropped.has_value());
  EXPECT_EQ(engine->stats().active, 2u);
  (*dropped)->cancel();
  EXPECT_EQ(engine->stats().active, 1u);
  engine.reset();
  ASSERT_TRUE(waits->error().has_value());
  EXPECT_EQ(waits->error()->code, ErrorCode::kCancelled);
  EXPECT_FALSE(cancelled->error().has_value());
  (*kept)->cancel();  // outlives the engine
}

// The source for the benches: 1,024 replies with 50 tokens a second each are 51,200 events a second.
TEST(EchoEngine, StreamsAreCheap) {
  constexpr std::size_t kStreams = 1024;
  EchoOptions options;
  options.fixed_tokens = 100;
  auto engine = make_echo_engine(options);
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kStreams; ++i) {
    sinks.push_back(std::make_shared<RecordingSink>());
    ASSERT_TRUE(engine->start(make_request(Route::kChatCompletions, user_says("some words here"), true), sinks.back())
                    .has_value());
  }
  for (const auto& sink : sinks) ASSERT_TRUE(sink->wait_end());
  std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  // The time includes requests: parsing them costs more than their hundred events.
  RecordProperty("microseconds_per_event", std::to_string(took.count() / (kStreams * 102.0)));
  EXPECT_LT(took.count() / (kStreams * 102.0), 50.0);
}

}  // namespace
}  // namespace cloister::engine
