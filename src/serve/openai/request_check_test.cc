#include "serve/openai/request_check.h"

#include <gtest/gtest.h>

namespace cloister::serve {
namespace {

using engine::Route;

struct Refused {
  Route route;
  const char* body;
  ErrorCode code;
  const char* param;  // "" = none
};

constexpr const char* kHello = R"("messages":[{"role":"user","content":"hi"}])";

std::string chat(std::string_view more) {
  return "{" + std::string(kHello) + (more.empty() ? "" : ",") + std::string(more) + "}";
}

TEST(RequestCheck, RefusesWithTheParameterAtFault) {
  const Refused cases[] = {
      {Route::kChatCompletions, "", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, "{", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, "[]", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, "{} x", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, R"({"a":1,"a":2})", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, "{\"a\":\"\xff\"}", ErrorCode::kBadJson, ""},
      {Route::kChatCompletions, "{}", ErrorCode::kInvalidRequest, "messages"},
      {Route::kChatCompletions, R"({"messages":[]})", ErrorCode::kInvalidRequest, "messages"},
      {Route::kChatCompletions, R"({"messages":"hi"})", ErrorCode::kInvalidRequest, "messages"},
      {Route::kChatCompletions, R"({"messages":["hi"]})", ErrorCode::kInvalidRequest, "messages[0]"},
      {Route::kChatCompletions, R"({"messages":[{"role":"robot","content":"x"}]})", ErrorCode::kInvalidRequest, "messages[0].role"},
      {Route::kChatCompletions, R"({"messages":[{"role":"user"}]})", ErrorCode::kInvalidRequest, "messages[0].content"},
      {Route::kChatCompletions, R"({"messages":[{"role":"user","content":7}]})", ErrorCode::kInvalidRequest, "messages[0].content"},
      {Route::kChatCompletions, R"({"messages":[{"role":"user","content":[]}]})", ErrorCode::kInvalidRequest, "messages[0].content"},
      {Route::kChatCompletions, R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})", ErrorCode::kInvalidRequest, "messages[0].content[0]"},
      {Route::kChatCompletions, R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x/"}}]}]})", ErrorCode::kUnsupported, "messages[0].content[0]"},
      {Route::kChatCompletions, R"({"messages":[{"role":"tool","content":"x"}]})", ErrorCode::kInvalidRequest, "messages[0].tool_call_id"},
      {Route::kCompletions, "{}", ErrorCode::kInvalidRequest, "prompt"},
      {Route::kCompletions, R"({"prompt":""})", ErrorCode::kInvalidRequest, "prompt"},
      {Route::kCompletions, R"({"prompt":[]})", ErrorCode::kInvalidRequest, "prompt"},
      {Route::kCompletions, R"({"prompt":[1,"a"]})", ErrorCode::kInvalidRequest, "prompt"},
      {Route::kCompletions, R"({"prompt":"a","suffix":"b"})", ErrorCode::kUnsupported, "suffix"},
      {Route::kEmbeddings, "{}", ErrorCode::kInvalidRequest, "input"},
      {Route::kEmbeddings, R"({"input":"a","encoding_format":"hex"})", ErrorCode::kInvalidRequest, "encoding_format"},
      {Route::kEmbeddings, R"({"input":"a","stream":true})", ErrorCode::kInvalidRequest, "stream"},
      {Route::kResponses, "{}", ErrorCode::kInvalidRequest, "input"},
      {Route::kResponses, R"({"input":"a","previous_response_id":"x"})", ErrorCode::kUnsupported, "previous_response_id"},
      {Route::kMessages, R"({"messages":[{"role":"user","content":"x"}]})", ErrorCode::kInvalidRequest, "max_tokens"},
      {Route::kTokenize, "{}", ErrorCode::kInvalidRequest, "prompt"},
  };
  for (const Refused& c : cases) {
    Result<CheckedRequest> checked = check_request(c.route, c.body);
    ASSERT_FALSE(checked) << c.body;
    EXPECT_EQ(checked.error().code, c.code) << c.body << ": " << checked.error().message;
    EXPECT_EQ(checked.error().param, c.param) << c.body;
    EXPECT_FALSE(checked.error().message.empty()) << c.body;
  }
}

TEST(RequestCheck, RefusesChatParametersOutOfTypeOrRange) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("model":5)", "model"},
      {R"("stream":"yes")", "stream"},
      {R"("stream_options":{"include_usage":true})", "stream_options"},
      {R"("stream":true,"stream_options":{"include_usage":1})", "include_usage"},
      {R"("n":0)", "n"},
      {R"("n":1.5)", "n"},
      {R"("n":1000)", "n"},
      {R"("temperature":-0.1)", "temperature"},
      {R"("temperature":"hot")", "temperature"},
      {R"("top_p":1.01)", "top_p"},
      {R"("top_k":-2)", "top_k"},
      {R"("min_p":2)", "min_p"},
      {R"("presence_penalty":3)", "presence_penalty"},
      {R"("frequency_penalty":-3)", "frequency_penalty"},
      {R"("max_tokens":0)", "max_tokens"},
      {R"("max_completion_tokens":-1)", "max_completion_tokens"},
      {R"("seed":"a")", "seed"},
      {R"("stop":[""])", "stop"},
      {R"("stop":5)", "stop"},
      {R"("logit_bias":{"a":1})", "logit_bias"},
      {R"("logit_bias":{"1":101})", "logit_bias"},
      {R"("logprobs":1)", "logprobs"},
      {R"("top_logprobs":2)", "top_logprobs"},
      {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
      {R"("response_format":{"type":"xml"})", "response_format.type"},
      {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"},
      {R"("tools":[{"type":"function"}])", "tools[0]"},
      {R"("tools":[{"type":"function","function":{"name":""}}])", "tools[0].function.name"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"g"}})", "tool_choice"},
      {R"("functions":[])", "functions"},
      {R"("user":1)", "user"},
  };
  for (const auto& [more, param] : cases) {
    std::string body = chat(more);
    Result<CheckedRequest> checked = check_request(Route::kChatCompletions, body);
    ASSERT_FALSE(checked) << body;
    EXPECT_EQ(checked.error().param, param) << body << ": " << checked.error().message;
  }
}

TEST(RequestCheck, AcceptsWhatTheSdksSend) {
  const std::string bodies[] = {
      chat(""),
      chat(R"("model":"m","stream":true,"stream_options":{"include_usage":true},"n":2,"stop":["a","b"],"seed":-1)"),
      chat(R"("temperature":0,"top_p":1,"top_k":40,"min_p":0.05,"logprobs":true,"top_logprobs":5,"user":"u")"),
      chat(R"("max_tokens":5.0,"logit_bias":{"17":-100},"stop":null,"tools":[],"tool_choice":"auto")"),
      chat(R"("response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}})"),
      chat(R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"required")"),
      chat(R"("a_member_of_tomorrow":{"deep":[1,2]})"),
      R"({"messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
          {"role":"tool","tool_call_id":"1","content":"4"},{"role":"user","content":[{"type":"text","text":"ok"}]}]})",
  };
  for (const std::string& body : bodies) {
    Result<CheckedRequest> checked = check_request(Route::kChatCompletions, body);
    EXPECT_TRUE(checked) << body << (checked ? "" : checked.error().message);
  }
  EXPECT_TRUE(check_request(Route::kCompletions, R"({"prompt":["a",[1,2]],"max_tokens":3})"));
  EXPECT_TRUE(check_request(Route::kEmbeddings, R"({"input":[1,2,3],"encoding_format":"base64"})"));
  EXPECT_TRUE(check_request(Route::kResponses, R"({"input":"hi","max_output_tokens":4,"background":false})"));
  EXPECT_TRUE(check_request(Route::kMessages, R"({"max_tokens":4,"messages":[{"role":"user","content":"x"}]})"));
  EXPECT_TRUE(check_request(Route::kTokenize, R"({"prompt":""})"));
}

TEST(RequestCheck, ReadsModelAndStream) {
  Result<CheckedRequest> checked = check_request(Route::kChatCompletions, chat(R"("model":"m:1","stream":true)"));
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->model, "m:1");
  EXPECT_TRUE(checked->stream);
}

TEST(RequestCheck, BoundsDepth) {
  std::string deep = chat(R"("x":)" + std::string(5000, '[') + std::string(5000, ']'));
  Result<CheckedRequest> checked = check_request(Route::kChatCompletions, deep);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kBadJson);
}

}  // namespace
}  // namespace cloister::serve
