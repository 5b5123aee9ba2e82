#include "engine/dialect/request_forms.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_fields.h"

namespace cloister::engine {
namespace {

Json unified(Route route, std::string_view text) {
  Json body = Json::parse(text);
  unify_request(route, body);
  return body;
}

TEST(RequestForms, PastArgumentsThatAreNoJsonAreAnEmptyObject) {
  for (const char* arguments : {"", "  ", "{\\\"city\\\": \\\"Par", "nothing"}) {
    const std::string call =
        R"({"id":"c","type":"function","function":{"name":"f","arguments":")" + std::string(arguments) + "\"}}";
    const Json chat =
        unified(Route::kChatCompletions, R"({"messages":[{"role":"assistant","tool_calls":[)" + call + "]}]}");
    EXPECT_EQ(chat["messages"][0]["tool_calls"][0]["function"]["arguments"], "{}") << arguments;
    const Json responses =
        unified(Route::kResponses, R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":")" +
                                       std::string(arguments) + "\"}]}");
    EXPECT_EQ(responses["input"][0]["arguments"], "{}") << arguments;
  }
}

TEST(RequestForms, PastArgumentsThatAreJsonStay) {
  const Json body = unified(
      Route::kChatCompletions,
      R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"a\": 1}"}}]}]})");
  EXPECT_EQ(body["messages"][0]["tool_calls"][0]["function"]["arguments"], "{\"a\": 1}");
}

TEST(RequestForms, AssistantMessagesAtTheEndAreOneTurn) {
  const Json body = unified(Route::kChatCompletions,
                            R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"One"},
      {"role":"assistant","content":"Two"},{"role":"assistant","content":[{"type":"text","text":"Three"}],"tool_calls":[{"id":"c"}]}]})");
  ASSERT_EQ(body["messages"].size(), 2u);
  EXPECT_EQ(content_text(body["messages"][1]["content"]), "OneTwoThree");
  EXPECT_EQ(body["messages"][1]["tool_calls"].size(), 1u);
}

TEST(RequestForms, AssistantMessagesInTheMiddleStayApart) {
  const Json body = unified(Route::kChatCompletions,
                            R"({"messages":[{"role":"assistant","content":"One"},{"role":"assistant","content":"Two"},
      {"role":"user","content":"q"}]})");
  EXPECT_EQ(body["messages"].size(), 3u);
}

TEST(RequestForms, NullMembersOfToolsAreAbsent) {
  const Json chat =
      unified(Route::kChatCompletions,
              R"({"tools":[{"type":"function","function":{"name":"f","description":null,"parameters":null}}]})");
  EXPECT_EQ(chat["tools"][0]["function"], Json({{"name", "f"}}));
  const Json responses =
      unified(Route::kResponses, R"({"tools":[{"type":"function","name":"f","strict":null,"parameters":null}]})");
  EXPECT_EQ(responses["tools"][0], Json({{"type", "function"}, {"name", "f"}}));
}

TEST(RequestForms, ToolsOfResponsesThatAreNoFunctionsAreLeftOut) {
  const Json body = unified(Route::kResponses, R"({"tools":[{"type":"custom","name":"a"},{"type":"function","name":"b"},
      {"type":"web_search"},{"type":"namespace","name":"n","tools":[]}]})");
  ASSERT_EQ(body["tools"].size(), 1u);
  EXPECT_EQ(body["tools"][0]["name"], "b");
}

TEST(RequestForms, ToolsOfChatThatAreNoFunctionsStayAndAreRefused) {
  const Json body =
      unified(Route::kChatCompletions, R"({"messages":[{"role":"user","content":"q"}],"tools":[{"type":"custom"}]})");
  EXPECT_REFUSED(read_request_fields(Route::kChatCompletions, body),
                 "'tools[0]' is not a function, the only kind of tool here");
}

TEST(RequestForms, ADemandForAToolThatWasLeftOutIsRefused) {
  for (const char* choice : {R"("required")", R"({"type":"custom","name":"a"})", R"({"type":"web_search"})"}) {
    const Json body =
        unified(Route::kResponses,
                R"({"input":"q","tools":[{"type":"custom","name":"a"},{"type":"web_search"}],"tool_choice":)" +
                    std::string(choice) + "}");
    EXPECT_FALSE(read_request_fields(Route::kResponses, body)) << choice;
  }
}

TEST(RequestForms, ReasoningWithoutTextIsLeftOutOrReplacedByItsSummary) {
  const Json body = unified(Route::kResponses, R"({"input":[{"type":"reasoning","summary":[],"encrypted_content":"x"},
      {"type":"reasoning","summary":[],"content":null},{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}]},
      {"role":"assistant","content":"hi"}]})");
  ASSERT_EQ(body["input"].size(), 2u);
  EXPECT_EQ(body["input"][0]["content"][0]["text"], "s");
  EXPECT_EQ(body["input"][1]["type"], "message");
}

TEST(RequestForms, ARefusalIsTheTextOfAMessageWithoutContent) {
  const Json body = unified(Route::kChatCompletions, R"({"messages":[{"role":"assistant","content":null,"refusal":"no"},
      {"role":"user","content":"q"}]})");
  EXPECT_EQ(body["messages"][0]["content"], "no");
}

TEST(RequestForms, SystemMessagesJoinTheSystemPrompt) {
  Json body = Json::parse(R"({"system":"First.","messages":[{"role":"user","content":"q"},
      {"role":"system","content":[{"type":"text","text":"Second."}]}]})");
  EXPECT_TRUE(join_system_messages(body));
  EXPECT_EQ(body["messages"].size(), 1u);
  EXPECT_EQ(content_text(body["system"]), "First.\n\nSecond.");
  EXPECT_FALSE(join_system_messages(body));
}

TEST(RequestForms, BodiesOfOtherShapesAreLeftAsTheyAre) {
  for (const char* text :
       {"[]", "7", R"({"messages":7,"tools":{}})", R"({"messages":[7,null],"tools":[7,null],"input":[7]})"}) {
    for (const Route route :
         {Route::kChatCompletions, Route::kResponses, Route::kMessages, Route::kCountTokens, Route::kEmbeddings}) {
      EXPECT_EQ(unified(route, text), Json::parse(text)) << text;
    }
  }
}

}  // namespace
}  // namespace cloister::engine
