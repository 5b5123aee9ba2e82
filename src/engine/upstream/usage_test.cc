#include "engine/upstream/usage.h"

#include <gtest/gtest.h>

namespace cloister::engine::upstream {
namespace {

Outcome outcome_of(std::string_view text) {
  codec::ReplyWords words(text.starts_with("data:") || text.starts_with("event:"));
  words.feed(text);
  return read_outcome(words);
}

struct Row {
  const char* text;
  std::uint64_t prompt, cached, completion;
  const char* reason;
};

TEST(UpstreamUsage, IsReadInEachDialect) {
  const Row table[] = {
      {R"({"id":"a","choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}})", 3, 0, 4,
       "stop"},
      {R"({"usage" : {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens": 1}, "x":1})",
       9, 8, 1, ""},
      {R"({"usage":{"prompt_tokens":9,"prompt_tokens_details":null,"completion_tokens":1}})", 9, 0, 1, ""},
      {R"({"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":6},"stop_reason":"end_turn"})", 5, 2,
       6, "end_turn"},
      {R"({"response":{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":1},"output_tokens":6}}})", 5,
       1, 6, ""},
      {"data: {\"choices\":[{\"finish_reason\":\"length\"}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
       "\"completion_tokens\":2}}\n\ndata: [DONE]\n\n",
       1, 0, 2, "length"},
      {"event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n",
       1, 0, 2, "end_turn"},
      // The first event of Anthropic's streams tells the prompt, the last one the rest, or all.
      {"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":25,\"cache_read_input_tokens\":7,"
       "\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n"
       "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
       25, 7, 15, "end_turn"},
      {"data: {\"message\":{\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\ndata: {\"usage\":{\"input_tokens\":26,\"output_tokens\":15}}\n\n",
       26, 0, 15, ""},
      // For embeddings nothing is generated.
      {R"({"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}})", 8, 0, 0, ""},
      // Both makers' names.
      {R"({"usage":{"prompt_tokens":3,"completion_tokens":4,"input_tokens":3,"output_tokens":4,"prompt_tokens_details":{"cached_tokens":null},)"
       R"("input_tokens_details":null,"cache_read_input_tokens":null}})",
       3, 0, 4, ""},
      {R"({"usage":{"prompt_tokens":9007199254740991,"completion_tokens":0}})", 9007199254740991, 0, 0, ""},
      {"", 0, 0, 0, ""},
  };
  for (const Row& row : table) {
    const Outcome outcome = outcome_of(row.text);
    EXPECT_EQ(outcome.usage.prompt_tokens, row.prompt) << row.text;
    EXPECT_EQ(outcome.usage.cached_tokens, row.cached) << row.text;
    EXPECT_EQ(outcome.usage.completion_tokens, row.completion) << row.text;
    EXPECT_EQ(outcome.finish_reason, row.reason) << row.text;
  }
}

// What a model says is no count, nor is what stands elsewhere, what has not the form of one, or what has two readings.
TEST(UpstreamUsage, IsNotTakenFromElsewhere) {
  for (const char* text :
       {R"({"content":"{\"usage\":{\"prompt_tokens\":7}}, \"finish_reason\":\"stop\""})",
        R"({"usage":{"prompt_tokens":-1,"completion_tokens":"4"}})", R"({"usage":[1,2]})",
        R"({"usage":{"prompt_tokens":1)", R"({"usage":{"prompt_tokens":1e3}})", R"("usage")", R"("usage":)",
        R"("usage":{)", R"({"finish_reason":"STOP \" or"})", R"({"finish_reason":{"a":1}})",
        R"({"results":[{"document":{"usage":{"prompt_tokens":7}}}]})", R"({"x":{"usage":{"prompt_tokens":7}}})",
        R"({"usage":{"prompt_tokens":1,"prompt_tokens":2}})", R"({"usage":{"prompt_tokens":1,"Prompt_tokens":2}})",
        R"({"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}})",
        R"({"usage":{"prompt_tokens":9007199254740993,"completion_tokens":9223372036854775808}})"}) {
    const Outcome outcome = outcome_of(text);
    EXPECT_FALSE(outcome.metered()) << text;
    EXPECT_EQ(outcome.finish_reason, "") << text;
  }
  for (const char* count :
       {"18446744073709551617", "9007199254740992", "-1", "\"1\"", "true", "[1]", "{}", "null", "1.5", "1.0", "1e1"}) {
    const std::string value(count);
    for (const std::string& usage : {"{\"prompt_tokens\":" + value + ",\"completion_tokens\":2}",
                                     "{\"prompt_tokens\":2,\"completion_tokens\":" + value + "}",
                                     "{\"input_tokens\":" + value + ",\"output_tokens\":2}",
                                     "{\"prompt_tokens\":1,\"completion_tokens\":2,\"input_tokens\":" + value + "}"}) {
      EXPECT_FALSE(outcome_of("{\"usage\":" + usage + "}").metered()) << usage;
    }
    const std::string cached =
        "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":" +
        value + "}}}";
    EXPECT_EQ(outcome_of(cached).metered(), value == "null") << cached;
  }
  for (
      const char* usage :
      {R"({"completion_tokens":2})", R"({"output_tokens":2})", R"({"prompt_tokens":2})",
       R"({"prompt_tokens":2,"total_tokens":3})",
       R"({"prompt_tokens":1,"completion_tokens":2,"input_tokens":5,"output_tokens":6})",
       R"({"prompt_tokens":1,"completion_tokens":2,"output_tokens":6})",
       R"({"prompt_tokens":1,"completion_tokens":2,"cached_tokens":1,"cache_read_input_tokens":2})",
       R"({"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1},"cache_read_input_tokens":77})",
       R"({"prompt_tokens":1,"completion_tokens":2,"Prompt_tokens_details":{"cached_tokens":1}})"}) {
    EXPECT_FALSE(outcome_of("{\"usage\":" + std::string(usage) + "}").metered()) << usage;
  }
  const std::string deep =
      "{\"usage\":" + std::string(5000, '{') + "\"prompt_tokens\":1" + std::string(5000, '}') + "}";
  EXPECT_FALSE(outcome_of(deep).metered());
}

}  // namespace
}  // namespace cloister::engine::upstream
