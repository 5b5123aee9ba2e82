#include "engine/dialect/request_fields.h"
#include "engine/dialect/members.h"

#include <gtest/gtest.h>

namespace cloister::engine {
namespace {

Result<RequestFields> read(Route route, const char* text) { return read_request_fields(route, Json::parse(text)); }

const char* const kHello = R"("messages":[{"role":"user","content":"hi"}])";

std::string chat(const std::string& more) { return std::string("{") + kHello + (more.empty() ? "" : ",") + more + "}"; }

TEST(RequestFields, ReadsWhatTheDialectsShare) {
  auto fields = read(Route::kChatCompletions,
                     chat(R"("n":2,"max_completion_tokens":7,"stop":["a","b"],"logprobs":true,"top_logprobs":3,)"
                          R"("stream":true,"stream_options":{"include_usage":true},"temperature":null)")
                         .c_str());
  ASSERT_TRUE(fields.has_value()) << fields.error().message;
  EXPECT_EQ(fields->choices, 2);
  EXPECT_EQ(fields->max_tokens, 7);
  EXPECT_EQ(fields->stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(fields->include_usage);
  EXPECT_EQ(fields->top_logprobs, 3);
  auto defaults = read(Route::kChatCompletions, chat("").c_str());
  ASSERT_TRUE(defaults.has_value());
  EXPECT_FALSE(defaults->max_tokens.has_value());
  EXPECT_FALSE(defaults->top_logprobs.has_value());
}

TEST(RequestFields, KnowsEachDialectsNames) {
  EXPECT_EQ(read(Route::kResponses, R"({"input":"hi","max_output_tokens":5})")->max_tokens, 5);
  EXPECT_EQ(read(Route::kMessages, chat(R"("max_tokens":5,"stop_sequences":["x"])").c_str())->stop.front(), "x");
  EXPECT_EQ(read(Route::kCompletions, R"({"prompt":["a","b"],"logprobs":2})")->top_logprobs, 2);
}

struct BadCase {
  Route route;
  std::string body;
  ErrorCode code;
  const char* param;
};

class BadRequest : public testing::TestWithParam<BadCase> {};

TEST_P(BadRequest, NamesTheParameter) {
  auto fields = read(GetParam().route, GetParam().body.c_str());
  ASSERT_FALSE(fields.has_value()) << GetParam().body;
  EXPECT_EQ(fields.error().code, GetParam().code) << fields.error().message;
  EXPECT_EQ(fields.error().param, GetParam().param) << fields.error().message;
}

constexpr auto kInvalid = ErrorCode::kInvalidRequest;
constexpr auto kUnsupported = ErrorCode::kUnsupported;
constexpr auto kChat = Route::kChatCompletions;

INSTANTIATE_TEST_SUITE_P(
    Values, BadRequest,
    testing::Values(
        BadCase{kChat, "[]", kInvalid, ""}, BadCase{kChat, "{}", kInvalid, "messages"},
        BadCase{kChat, R"({"messages":[]})", kInvalid, "messages"},
        BadCase{kChat, R"({"messages":[{"role":"king","content":"x"}]})", kInvalid, "messages[0].role"},
        BadCase{kChat, R"({"messages":[{"role":"user"}]})", kInvalid, "messages[0].content"},
        BadCase{kChat, R"({"messages":[{"role":"user","content":5}]})", kInvalid, "messages[0].content"},
        BadCase{kChat, chat(R"("temperature":3)"), kInvalid, "temperature"},
        BadCase{kChat, chat(R"("temperature":"hot")"), kInvalid, "temperature"},
        BadCase{kChat, chat(R"("top_p":-0.1)"), kInvalid, "top_p"}, BadCase{kChat, chat(R"("n":0)"), kInvalid, "n"},
        BadCase{kChat, chat(R"("n":1.5)"), kInvalid, "n"},
        BadCase{kChat, chat(R"("max_tokens":0)"), kInvalid, "max_tokens"},
        BadCase{kChat, chat(R"("max_tokens":1e99)"), kInvalid, "max_tokens"},
        BadCase{kChat, chat(R"("stream":"yes")"), kInvalid, "stream"},
        BadCase{kChat, chat(R"("stop":[1])"), kInvalid, "stop"},
        BadCase{kChat, chat(R"("stop":[""])"), kInvalid, "stop"},
        BadCase{kChat, chat(R"("stop":{})"), kInvalid, "stop"},
        BadCase{kChat, chat(R"("top_logprobs":2)"), kInvalid, "top_logprobs"},
        BadCase{kChat, chat(R"("logit_bias":{"cat":1})"), kInvalid, "logit_bias"},
        BadCase{kChat, chat(R"("response_format":{"type":"xml"})"), kInvalid, "response_format.type"},
        BadCase{kChat, chat(R"("response_format":{"type":"json_schema"})"), kInvalid, "response_format.json_schema"},
        BadCase{kChat, chat(R"("tools":[{"type":"web_search"}])"), kUnsupported, "tools[0]"},
        BadCase{kChat, chat(R"("tools":[{"type":"function","function":{}}])"), kInvalid, "tools[0]"},
        BadCase{kChat, chat(R"("tool_choice":"always")"), kInvalid, "tool_choice"},
        BadCase{kChat, chat(R"("tool_choice":{"type":"function","function":{"name":"f"}})"), kInvalid, "tool_choice"},
        BadCase{Route::kCompletions, R"({"prompt":[]})", kInvalid, "prompt"},
        BadCase{Route::kCompletions, R"({"prompt":{"prompt_string":"x"}})", kInvalid, "prompt"},
        BadCase{Route::kCompletions, R"({"prompt":"x","suffix":"y"})", kUnsupported, "suffix"},
        BadCase{Route::kCompletions, R"({"prompt":["a","b"],"n":65})", kInvalid, "prompt"},
        BadCase{Route::kEmbeddings, R"({"input":"x","encoding_format":"hex"})", kInvalid, "encoding_format"},
        BadCase{Route::kResponses, R"({"input":"x","previous_response_id":"resp_1"})", kUnsupported,
                "previous_response_id"},
        BadCase{Route::kMessages, R"({"max_tokens":1,"messages":[{"role":"tool","content":"x"}]})", kInvalid,
                "messages[0].role"},
        BadCase{Route::kTokenize, R"({"prompt":7})", kInvalid, "prompt"}));

INSTANTIATE_TEST_SUITE_P(
    Structure, BadRequest,
    testing::Values(BadCase{kChat, chat(R"("stream_options":{"include_usage":true})"), kInvalid, "stream_options"},
                    BadCase{kChat, chat(R"("tool_choice":"required")"), kInvalid, "tool_choice"},
                    BadCase{kChat, chat(R"("functions":[])"), kUnsupported, "functions"},
                    BadCase{kChat, chat(R"("audio":{})"), kUnsupported, "audio"},
                    BadCase{kChat, R"({"messages":[{"role":"user","content":[]}]})", kInvalid, "messages[0].content"},
                    BadCase{kChat, R"({"messages":[{"role":"tool","content":"4"}]})", kInvalid,
                            "messages[0].tool_call_id"},
                    BadCase{kChat, R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}]})",
                            kInvalid, "messages[0]"},
                    BadCase{Route::kCompletions, R"({"prompt":""})", kInvalid, "prompt"},
                    BadCase{Route::kEmbeddings, R"({"input":["a",""]})", kInvalid, "input"},
                    BadCase{Route::kEmbeddings, R"({"input":"a","dimensions":4})", kUnsupported, "dimensions"},
                    BadCase{Route::kMessages, chat(""), kInvalid, "max_tokens"}));

// Nothing may be fetched or opened for a client, whatever name the dialect has for media.
INSTANTIATE_TEST_SUITE_P(
    Media, BadRequest,
    testing::Values(
        BadCase{kChat,
                R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://h/x"}}]}]})",
                kUnsupported, "messages[0].content[0]"},
        BadCase{kChat,
                R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio"}]}]})",
                kUnsupported, "messages[0].content[1]"},
        BadCase{Route::kMessages,
                R"({"max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url"}}]}]})",
                kUnsupported, "messages[0].content[0]"},
        BadCase{
            Route::kMessages,
            R"({"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image"}]}]}]})",
            kUnsupported, "messages[0].content[0].content[0]"},
        BadCase{Route::kResponses,
                R"({"input":[{"role":"user","content":[{"type":"input_image","image_url":"file:///x"}]}]})",
                kUnsupported, "input[0].content[0]"}));

TEST(ContentText, JoinsTextParts) {
  EXPECT_EQ(content_text(Json("plain")), "plain");
  EXPECT_EQ(content_text(Json::parse(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])")), "ab");
  EXPECT_EQ(content_text(Json(5)), "");
}

}  // namespace
}  // namespace cloister::engine
