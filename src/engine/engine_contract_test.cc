// Checks what every engine promises, with each engine: shapes, order of calls, usage, cancelling, errors, 32 at once.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <thread>

#include "engine/testing/engines.h"
#include "engine/testing/recording_sink.h"
#include "evidence/model_identity.h"

namespace cloister::engine {
namespace {

using testing::ask;
using testing::make_request;
using testing::RecordingSink;
using testing::Reply;
using testing::user_says;

struct EngineCase {
  const char* name;
  Engine* (*get)(std::string& why);
};

class EngineContract : public ::testing::TestWithParam<EngineCase> {
 protected:
  void SetUp() override {
    std::string why;
    engine_ = GetParam().get(why);
    if (engine_ != nullptr) return;
    const char* ci = std::getenv("CI");
    bool not_built = why.find("CLOISTER_LLAMA=OFF") != std::string::npos;
    if (ci != nullptr && std::string(ci) == "true" && !not_built) FAIL() << why;
    GTEST_SKIP() << why;
  }
  Engine& engine() { return *engine_; }

 private:
  Engine* engine_ = nullptr;
};

Json with(Json body, const Json& more) {
  body.update(more);
  return body;
}

void expect_usage(const Json& usage, const Outcome& outcome) {
  EXPECT_EQ(usage["prompt_tokens"], outcome.usage.prompt_tokens);
  EXPECT_EQ(usage["completion_tokens"], outcome.usage.completion_tokens);
  EXPECT_EQ(usage["total_tokens"], outcome.usage.prompt_tokens + outcome.usage.completion_tokens);
}

TEST_P(EngineContract, KnowsItself) {
  EXPECT_EQ(engine().health(), Health::kReady);
  EXPECT_EQ(engine().failure(), "");
  std::vector<ModelInfo> models = engine().models();
  ASSERT_EQ(models.size(), 1u);
  EXPECT_FALSE(models[0].id.empty());
  EXPECT_GT(models[0].context_length, 0u);
  ASSERT_NE(models[0].identity, nullptr);
  const auto identity = evidence::parse_model_identity(*models[0].identity);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->id, models[0].id);
  EXPECT_EQ(identity->engine.name, engine().name());
  EXPECT_TRUE(engine().routes().contains(Route::kChatCompletions));
}

TEST_P(EngineContract, BufferedChat) {
  Reply reply = ask(engine(), Route::kChatCompletions, with(user_says("Say hello to me"), {{"max_tokens", 8}}));
  ASSERT_FALSE(reply.refused.has_value()) << reply.refused->message;
  ASSERT_FALSE(reply.error.has_value()) << reply.error->message;
  EXPECT_EQ(reply.content_type, "application/json");
  Json body = reply.json();
  EXPECT_EQ(body["id"], "chatcmpl-0123456789abcdef");
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["model"], engine().models()[0].id);
  EXPECT_TRUE(body["created"].is_number_integer());
  ASSERT_EQ(body["choices"].size(), 1u);
  const Json& choice = body["choices"][0];
  EXPECT_EQ(choice["index"], 0);
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_FALSE(choice["message"]["content"].get<std::string>().empty());
  EXPECT_TRUE(choice["logprobs"].is_null());
  EXPECT_EQ(choice["finish_reason"], reply.outcome.finish_reason);
  expect_usage(body["usage"], reply.outcome);
  EXPECT_GT(reply.outcome.usage.prompt_tokens, 0u);
  EXPECT_GT(reply.outcome.usage.completion_tokens, 0u);
  EXPECT_LE(reply.outcome.usage.completion_tokens, 8u);
  for (const char* foreign : {"timings", "__verbose"}) EXPECT_FALSE(body.contains(foreign)) << foreign;
}

TEST_P(EngineContract, StreamedChat) {
  Json ask_for = with(user_says("Count to three"), {{"max_tokens", 12}, {"temperature", 0}});
  Reply reply =
      ask(engine(), Route::kChatCompletions, with(ask_for, {{"stream_options", {{"include_usage", true}}}}), true);
  ASSERT_FALSE(reply.error.has_value()) << reply.error->message;
  EXPECT_EQ(reply.content_type, "text/event-stream");
  EXPECT_TRUE(reply.done_marker());
  std::vector<Json> events = reply.events();
  ASSERT_GE(events.size(), 4u);
  EXPECT_EQ(events.front()["choices"][0]["delta"]["role"], "assistant");
  for (const Json& event : events) {
    EXPECT_EQ(event["id"], "chatcmpl-0123456789abcdef");
    EXPECT_EQ(event["object"], "chat.completion.chunk");
    EXPECT_EQ(event["created"], events.front()["created"]);
    EXPECT_FALSE(event.contains("timings"));
    EXPECT_EQ(event["usage"].is_null(), &event != &events.back());
  }
  EXPECT_EQ(events.back()["choices"].size(), 0u);
  expect_usage(events.back()["usage"], reply.outcome);
  EXPECT_EQ(events[events.size() - 2]["choices"][0]["finish_reason"], reply.outcome.finish_reason);
  // The same question, with greedy sampling, gives the same text when buffered.
  EXPECT_EQ(reply.text(), ask(engine(), Route::kChatCompletions, ask_for).text());
}

TEST_P(EngineContract, NoUsageUnasked) {
  Reply reply = ask(engine(), Route::kChatCompletions, with(user_says("Hello"), {{"max_tokens", 3}}), true);
  for (const Json& event : reply.events()) EXPECT_FALSE(event.contains("usage")) << event.dump();
  EXPECT_EQ(reply.events().back()["choices"][0]["finish_reason"], reply.outcome.finish_reason);
}

TEST_P(EngineContract, SeveralChoices) {
  Json body = with(user_says("Name a color please"), {{"n", 2}, {"max_tokens", 6}});
  Reply buffered = ask(engine(), Route::kChatCompletions, body);
  ASSERT_FALSE(buffered.error.has_value());
  Json choices = buffered.json()["choices"];
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(choices[0]["index"], 0);
  EXPECT_EQ(choices[1]["index"], 1);
  Reply streamed = ask(engine(), Route::kChatCompletions, body, true);
  EXPECT_FALSE(streamed.text(0).empty());
  EXPECT_FALSE(streamed.text(1).empty());
  // The prompt counts once, however many choices there are.
  Reply single = ask(engine(), Route::kChatCompletions, with(body, {{"n", 1}}));
  EXPECT_EQ(buffered.outcome.usage.prompt_tokens, single.outcome.usage.prompt_tokens);
  EXPECT_EQ(streamed.outcome.usage.prompt_tokens, single.outcome.usage.prompt_tokens);
}

TEST_P(EngineContract, LengthLimit) {
  Reply reply =
      ask(engine(), Route::kChatCompletions,
          with(user_says("one two three four five six"), {{"max_completion_tokens", 2}, {"ignore_eos", true}}));
  EXPECT_EQ(reply.outcome.finish_reason, "length");
  EXPECT_EQ(reply.outcome.usage.completion_tokens, 2u);
}

TEST_P(EngineContract, Completions) {
  Reply reply = ask(engine(), Route::kCompletions, {{"prompt", "The capital of France is"}, {"max_tokens", 4}});
  ASSERT_FALSE(reply.error.has_value());
  Json body = reply.json();
  EXPECT_EQ(body["object"], "text_completion");
  EXPECT_EQ(body["id"], "cmpl-0123456789abcdef");
  EXPECT_FALSE(body["choices"][0]["text"].get<std::string>().empty());
  expect_usage(body["usage"], reply.outcome);
  Reply streamed =
      ask(engine(), Route::kCompletions, {{"prompt", "The capital of France is"}, {"max_tokens", 4}}, true);
  EXPECT_TRUE(streamed.done_marker());
  EXPECT_FALSE(streamed.text().empty());
}

TEST_P(EngineContract, SeveralPrompts) {
  Json body = {{"prompt", {"Red and", "Blue and green"}}, {"n", 2}, {"max_tokens", 2}};
  Reply reply = ask(engine(), Route::kCompletions, body);
  ASSERT_FALSE(reply.error.has_value());
  Json choices = reply.json()["choices"];
  ASSERT_EQ(choices.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(choices[i]["index"], i);
}

TEST_P(EngineContract, Responses) {
  Json body = {{"input", "Say hello to me"}, {"max_output_tokens", 8}};
  Reply buffered = ask(engine(), Route::kResponses, body);
  ASSERT_FALSE(buffered.refused.has_value()) << buffered.refused->message;
  Json response = buffered.json();
  EXPECT_EQ(response["object"], "response");
  EXPECT_EQ(response["id"], "resp_0123456789abcdef");
  EXPECT_EQ(response["output"][0]["content"][0]["type"], "output_text");
  EXPECT_EQ(response["usage"]["output_tokens"], buffered.outcome.usage.completion_tokens);
  Reply streamed = ask(engine(), Route::kResponses, body, true);
  std::vector<std::string> names = streamed.event_names();
  ASSERT_GE(names.size(), 8u);
  EXPECT_EQ(names[0], "response.created");
  EXPECT_EQ(names[1], "response.in_progress");
  EXPECT_EQ(names[2], "response.output_item.added");
  EXPECT_EQ(names[3], "response.content_part.added");
  EXPECT_EQ(names[4], "response.output_text.delta");
  std::vector<Json> events = streamed.events();
  std::string text;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["type"], names[i]);
    EXPECT_EQ(events[i]["sequence_number"], i);
    if (names[i] == "response.output_text.delta") text += events[i]["delta"].get<std::string>();
  }
  EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"], text);
  EXPECT_FALSE(streamed.bytes.find("[DONE]") != std::string::npos);
  EXPECT_TRUE(names.back() == "response.completed" || names.back() == "response.incomplete") << names.back();
  EXPECT_NE(streamed.last.find("event: " + names.back() + "\n"), std::string::npos) << streamed.last;
}

TEST_P(EngineContract, Messages) {
  Json body = with(user_says("Say hello to me"), {{"max_tokens", 8}, {"system", "Be brief."}});
  Reply buffered = ask(engine(), Route::kMessages, body);
  ASSERT_FALSE(buffered.refused.has_value()) << buffered.refused->message;
  Json message = buffered.json();
  EXPECT_EQ(message["type"], "message");
  EXPECT_EQ(message["id"], "msg_0123456789abcdef");
  EXPECT_EQ(message["content"][0]["type"], "text");
  EXPECT_EQ(message["usage"]["output_tokens"], buffered.outcome.usage.completion_tokens);
  Reply streamed = ask(engine(), Route::kMessages, body, true);
  std::vector<std::string> names = streamed.event_names();
  ASSERT_GE(names.size(), 6u);
  EXPECT_EQ(names[0], "message_start");
  EXPECT_EQ(names[1], "content_block_start");
  EXPECT_EQ(names[2], "content_block_delta");
  EXPECT_EQ(names[names.size() - 3], "content_block_stop");
  EXPECT_EQ(names[names.size() - 2], "message_delta");
  EXPECT_EQ(names.back(), "message_stop");
  EXPECT_NE(streamed.last.find("event: message_stop\n"), std::string::npos) << streamed.last;
}

TEST_P(EngineContract, Embeddings) {
  Reply reply = ask(engine(), Route::kEmbeddings, {{"input", {"a cat", "a dog", "a cat"}}});
  ASSERT_FALSE(reply.error.has_value()) << reply.error->message;
  Json body = reply.json();
  EXPECT_EQ(body["object"], "list");
  ASSERT_EQ(body["data"].size(), 3u);
  std::vector<float> first = body["data"][0]["embedding"];
  double length = 0;
  for (float value : first) length += static_cast<double>(value) * static_cast<double>(value);
  EXPECT_NEAR(length, 1.0, 1e-4);
  EXPECT_NE(body["data"][0]["embedding"], body["data"][1]["embedding"]);
  EXPECT_EQ(body["data"][0]["embedding"], body["data"][2]["embedding"]);
  EXPECT_EQ(body["usage"]["prompt_tokens"], reply.outcome.usage.prompt_tokens);
  Json base64 = ask(engine(), Route::kEmbeddings, {{"input", "a cat"}, {"encoding_format", "base64"}}).json();
  std::size_t bytes = first.size() * 4;
  EXPECT_EQ(base64["data"][0]["embedding"].get<std::string>().size(), (bytes + 2) / 3 * 4);
}

TEST_P(EngineContract, Tokenize) {
  Json body = ask(engine(), Route::kTokenize, {{"prompt", "Hello there, world"}}).json();
  EXPECT_GT(body["count"], 0);
  EXPECT_EQ(body["tokens"].size(), body["count"]);
  EXPECT_EQ(body["max_model_len"], engine().models()[0].context_length);
  EXPECT_GT(ask(engine(), Route::kTokenize, user_says("Hello there")).json()["count"], 0);
}

TEST_P(EngineContract, NonAscii) {
  Json body = with(user_says("Übersetze: 漢字 🙂 naïve"), {{"max_tokens", 24}});
  for (bool stream : {false, true}) {
    Reply reply = ask(engine(), Route::kChatCompletions, body, stream);
    ASSERT_FALSE(reply.error.has_value());
    // events() and json() fail on bytes that are not UTF-8, so parsing is the check.
    EXPECT_FALSE(reply.text().empty());
  }
}

TEST_P(EngineContract, RefusesWhatItCannotDo) {
  struct {
    Json body;
    ErrorCode code;
  } cases[] = {
      {Json::object(), ErrorCode::kInvalidRequest},
      {with(user_says("x"), {{"temperature", 9}}), ErrorCode::kInvalidRequest},
      {with(user_says("x"), {{"max_tokens", -1}}), ErrorCode::kInvalidRequest},
      {{{"messages",
         {{{"role", "user"}, {"content", {{{"type", "image_url"}, {"image_url", {{"url", "http://127.0.0.1/x"}}}}}}}}}},
       ErrorCode::kUnsupported},
  };
  for (const auto& one : cases) {
    Reply reply = ask(engine(), Route::kChatCompletions, one.body);
    ASSERT_TRUE(reply.refused.has_value()) << one.body.dump();
    EXPECT_EQ(reply.refused->code, one.code) << reply.refused->message;
    EXPECT_FALSE(reply.refused->message.empty());
  }
}

TEST_P(EngineContract, CancelSilencesAndFrees) {
  auto sink = std::make_shared<RecordingSink>();
  std::string long_text;
  for (int i = 0; i < 400; ++i) long_text += "word ";
  Json body = with(user_says("go on " + long_text), {{"max_tokens", 500}, {"ignore_eos", true}});
  auto generation = engine().start(make_request(Route::kChatCompletions, body, true), sink);
  ASSERT_TRUE(generation.has_value()) << generation.error().message;
  ASSERT_TRUE(sink->wait_pieces(1));
  (*generation)->cancel();
  (*generation)->cancel();
  EXPECT_EQ(engine().stats().active + engine().stats().waiting, 0u);
  // A later reply completes, and the cancelled one has stayed silent meanwhile, except for a call that was running.
  std::size_t at_cancel = sink->pieces();
  Reply next = ask(engine(), Route::kChatCompletions, with(user_says("Hello"), {{"max_tokens", 4}}));
  EXPECT_FALSE(next.error.has_value());
  EXPECT_LE(sink->pieces(), at_cancel + 1);
  EXPECT_EQ(sink->misuse(), "");
  EXPECT_FALSE(sink->error().has_value());
}

TEST_P(EngineContract, ManyAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 8;
  std::vector<std::shared_ptr<RecordingSink>> sinks(kThreads * kEach);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        std::size_t at = static_cast<std::size_t>(t * kEach + i);
        sinks[at] = std::make_shared<RecordingSink>();
        Json body = with(user_says("Question number " + std::to_string(at)), {{"max_tokens", 5}});
        auto generation = engine().start(make_request(Route::kChatCompletions, body, at % 2 == 0), sinks[at]);
        EXPECT_TRUE(generation.has_value());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& sink : sinks) {
    ASSERT_TRUE(sink->wait_end());
    EXPECT_FALSE(sink->error().has_value());
    EXPECT_EQ(sink->misuse(), "");
    ASSERT_TRUE(sink->outcome().has_value());
    EXPECT_GT(sink->outcome()->usage.completion_tokens, 0u);
  }
  EXPECT_EQ(engine().stats().active + engine().stats().waiting, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract,
                         ::testing::Values(EngineCase{"echo", testing::echo_for_tests},
                                           EngineCase{"llama", testing::llama_for_tests}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace cloister::engine
