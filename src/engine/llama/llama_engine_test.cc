// Tests what only the embedded engine does, with the real default model: grammars, tools, log probabilities, limits, loading.
#include "engine/llama/llama_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "engine/testing/engines.h"
#include "engine/testing/recording_sink.h"

namespace cloister::engine {
namespace {

using testing::ask;
using testing::find_model;
using testing::make_request;
using testing::RecordingSink;
using testing::Reply;
using testing::user_says;
using testing::wait_loaded;

constexpr Route kChat = Route::kChatCompletions;

Json with(Json body, const Json& more) {
  body.update(more);
  return body;
}

class LlamaEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    engine_ = testing::llama_for_tests(why);
    if (engine_ != nullptr) return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << why;
    GTEST_SKIP() << why;
  }
  Engine& engine() { return *engine_; }

 private:
  Engine* engine_ = nullptr;
};

// A file that is deleted when the test ends.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view bytes)
      : path_(std::filesystem::temp_directory_path() / ("cloister-test-" + std::to_string(::getpid()) + ".gguf")) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const char* const kTools = R"({"tools":[
  {"type":"function","function":{"name":"get_weather","description":"The weather in a city",
   "parameters":{"type":"object","properties":{"city":{"type":"string","enum":["Paris","Rome"]}},"required":["city"]}}},
  {"type":"function","function":{"name":"get_time","description":"The time",
   "parameters":{"type":"object","properties":{"zone":{"type":"string","enum":["utc"]}},"required":["zone"]}}}]})";

// With its default system message the default model answers this question in broken French.
Json capital_question() {
  return Json::parse(
      R"({"temperature":0,"max_tokens":32,"messages":[{"role":"system","content":"You are a helpful assistant."},
    {"role":"user","content":"What is the capital of France?"}]})");
}

TEST_F(LlamaEngineTest, AnswersSensibly) {
  Reply reply = ask(engine(), kChat, capital_question());
  EXPECT_NE(reply.text().find("Paris"), std::string::npos) << reply.text();
  EXPECT_EQ(reply.outcome.finish_reason, "stop");
}

TEST_F(LlamaEngineTest, SameSeedSameText) {
  Json body = with(user_says("Tell me a story"), {{"max_tokens", 16}, {"temperature", 1}, {"seed", 7}});
  std::string first = ask(engine(), kChat, body).text();
  EXPECT_EQ(ask(engine(), kChat, body).text(), first);
  EXPECT_NE(ask(engine(), kChat, with(body, {{"seed", 8}})).text(), first);
  EXPECT_FALSE(ask(engine(), kChat, with(body, {{"seed", -9007199254740993}})).error.has_value());
}

TEST_F(LlamaEngineTest, StopsBeforeAStopString) {
  Json body = capital_question();
  for (bool stream : {false, true}) {
    Reply reply = ask(engine(), kChat, with(body, {{"stop", {"Paris"}}}), stream);
    EXPECT_EQ(reply.text().find("Paris"), std::string::npos);
    EXPECT_EQ(reply.outcome.finish_reason, "stop");
  }
}

// A stop string has only begun when the limit ends the reply: its text belongs to the reply.
TEST_F(LlamaEngineTest, KeepsTextHeldBackForAStopString) {
  Json body = with(capital_question(), {{"max_tokens", 5}});
  std::string text = ask(engine(), kChat, body).text();
  ASSERT_GE(text.size(), 4u);
  Json held = with(body, {{"stop", {text.substr(text.size() - 4) + " and never this"}}});
  EXPECT_EQ(ask(engine(), kChat, held).text(), text);
  EXPECT_EQ(ask(engine(), kChat, held, true).text(), text);
}

TEST_F(LlamaEngineTest, LogProbabilities) {
  Json body =
      with(user_says("Hello"), {{"max_tokens", 4}, {"logprobs", true}, {"top_logprobs", 2}, {"temperature", 0}});
  Json content = ask(engine(), kChat, body).json()["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 4u);
  for (const Json& token : content) {
    EXPECT_LE(token["logprob"].get<double>(), 0.0);
    ASSERT_EQ(token["top_logprobs"].size(), 2u);
    EXPECT_EQ(token["top_logprobs"][0]["token"], token["token"]);  // greedy: the likeliest token was chosen
    EXPECT_EQ(token["bytes"].size(), token["token"].get<std::string>().size());
  }
  std::size_t streamed = 0;
  for (const Json& event : ask(engine(), kChat, body, true).events()) {
    const Json& logprobs = event["choices"][0]["logprobs"];
    if (!logprobs.is_null()) streamed += logprobs["content"].size();
  }
  EXPECT_EQ(streamed, 4u);
  Json bare = ask(engine(), kChat, with(body, {{"top_logprobs", 0}})).json()["choices"][0]["logprobs"]["content"];
  EXPECT_EQ(bare[0]["top_logprobs"].size(), 0u);
  Json old = ask(engine(), Route::kCompletions, {{"prompt", "Hello"}, {"max_tokens", 3}, {"logprobs", 1}}).json();
  EXPECT_EQ(old["choices"][0]["logprobs"]["tokens"].size(), 3u);
  EXPECT_EQ(old["choices"][0]["logprobs"]["top_logprobs"][0].size(), 1u);
}

TEST_F(LlamaEngineTest, JsonSchemaIsKept) {
  Json body = with(user_says("Describe a cat as JSON"), Json::parse(R"({"max_tokens":96,"seed":3,"response_format":
      {"type":"json_schema","json_schema":{"name":"cat","schema":{"type":"object","additionalProperties":false,
        "properties":{"legs":{"type":"integer","minimum":0,"maximum":9},"color":{"enum":["black","white"]}},
        "required":["legs","color"]}}}})"));
  for (bool stream : {false, true}) {
    Json cat = Json::parse(ask(engine(), kChat, body, stream).text(), nullptr, false);
    ASSERT_TRUE(cat.is_object());
    EXPECT_TRUE(cat["legs"].is_number_integer());
    EXPECT_TRUE(cat["color"] == "black" || cat["color"] == "white");
  }
  Json format = {
      {"format",
       {{"type", "json_schema"}, {"name", "cat"}, {"schema", body["response_format"]["json_schema"]["schema"]}}}};
  Json response =
      ask(engine(), Route::kResponses, {{"input", "A cat"}, {"text", format}, {"max_output_tokens", 96}}).json();
  EXPECT_TRUE(Json::parse(response["output"][0]["content"][0]["text"].get<std::string>(), nullptr, false).is_object());
}

TEST_F(LlamaEngineTest, JsonObjectIsAnObject) {
  Json body = with(user_says("Give me JSON with one member"),
                   {{"max_tokens", 200}, {"temperature", 0}, {"response_format", {{"type", "json_object"}}}});
  Reply reply = ask(engine(), kChat, body);
  bool whole = reply.outcome.finish_reason == "stop";
  EXPECT_EQ(Json::parse(reply.text(), nullptr, false).is_object(), whole) << reply.text();
  EXPECT_TRUE(reply.text().starts_with("{")) << reply.text();
}

TEST_F(LlamaEngineTest, DemandedToolIsCalled) {
  Json body = with(with(user_says("What is the weather in Rome?"), Json::parse(kTools)),
                   {{"tool_choice", "required"}, {"max_tokens", 64}, {"seed", 1}});
  Reply reply = ask(engine(), kChat, body);
  ASSERT_FALSE(reply.error.has_value()) << reply.error->message;
  Json choice = reply.json()["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  ASSERT_EQ(choice["message"]["tool_calls"].size(), 1u) << choice.dump();
  const Json& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["type"], "function");
  EXPECT_FALSE(call["id"].get<std::string>().empty());
  EXPECT_TRUE(Json::parse(call["function"]["arguments"].get<std::string>(), nullptr, false).is_object());
}

TEST_F(LlamaEngineTest, NamedToolIsCalledInAStream) {
  Json body = with(with(user_says("What is the weather in Rome?"), Json::parse(kTools)),
                   {{"tool_choice", {{"type", "function"}, {"function", {{"name", "get_time"}}}}}, {"max_tokens", 64}});
  Reply reply = ask(engine(), kChat, body, true);
  std::string name, arguments, ids;
  for (const Json& event : reply.events()) {
    const Json& delta = event["choices"][0]["delta"];
    if (!delta.contains("tool_calls")) continue;
    const Json& call = delta["tool_calls"][0];
    EXPECT_EQ(call["index"], 0);
    if (call.contains("id")) ids += call["id"];
    if (call["function"].contains("name")) name += call["function"]["name"];
    arguments += call["function"]["arguments"];
  }
  EXPECT_EQ(name, "get_time");
  EXPECT_FALSE(ids.empty());
  EXPECT_EQ(Json::parse(arguments, nullptr, false)["zone"], "utc");
  EXPECT_EQ(reply.outcome.finish_reason, "tool_calls");
}

TEST_F(LlamaEngineTest, ToolResultsAreUnderstood) {
  Json body = Json::parse(R"({"max_tokens":16,"messages":[{"role":"user","content":"Weather in Rome?"},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
      "function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"sunny, 25 degrees"}]})");
  Reply reply = ask(engine(), kChat, body);
  ASSERT_FALSE(reply.refused.has_value()) << reply.refused->message;
  EXPECT_FALSE(reply.text().empty());
}

TEST_F(LlamaEngineTest, ToolsInTheOtherDialects) {
  Json claude = with(user_says("What time is it?"),
                     Json::parse(R"({"max_tokens":64,"tool_choice":{"type":"tool","name":"get_time"},
    "tools":[{"name":"get_time","input_schema":{"type":"object","properties":{"zone":{"enum":["utc"]}},"required":["zone"]}}]})"));
  Json message = ask(engine(), Route::kMessages, claude).json();
  EXPECT_EQ(message["stop_reason"], "tool_use");
  EXPECT_EQ(message["content"][0]["input"]["zone"], "utc");
  std::vector<std::string> names = ask(engine(), Route::kMessages, claude, true).event_names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "content_block_start"), 1);
  Json responses = Json::parse(R"({"input":"What time is it?","max_output_tokens":64,"tool_choice":"required",
    "tools":[{"type":"function","name":"get_time","parameters":{"type":"object","properties":{"zone":{"enum":["utc"]}},
    "required":["zone"]}}]})");
  Json item = ask(engine(), Route::kResponses, responses).json()["output"][0];
  EXPECT_EQ(item["type"], "function_call");
  EXPECT_EQ(item["name"], "get_time");
  Reply streamed = ask(engine(), Route::kResponses, responses, true);
  EXPECT_EQ(streamed.events().back()["response"]["output"][0]["name"], "get_time");
}

TEST_F(LlamaEngineTest, SaysHowLongThePromptIsAndTheLimit) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word ";
  Reply reply = ask(engine(), kChat, user_says(text));
  ASSERT_TRUE(reply.refused.has_value());
  EXPECT_EQ(reply.refused->code, ErrorCode::kContextLength);
  EXPECT_NE(reply.refused->message.find("1024"), std::string::npos) << reply.refused->message;
  EXPECT_NE(reply.refused->message.find("30"), std::string::npos) << reply.refused->message;
}

TEST_F(LlamaEngineTest, EndsAtTheContextsEnd) {
  std::string text;
  for (int i = 0; i < 950; ++i) text += "word ";
  Reply reply = ask(engine(), kChat, with(user_says(text), {{"ignore_eos", true}}));
  ASSERT_FALSE(reply.error.has_value());
  EXPECT_EQ(reply.outcome.finish_reason, "length");
  EXPECT_LE(reply.outcome.usage.prompt_tokens + reply.outcome.usage.completion_tokens, 1024u);
}

TEST_F(LlamaEngineTest, RefusesImpossibleNumbers) {
  EXPECT_EQ(ask(engine(), kChat, with(user_says("x"), {{"n", 17}})).refused->param, "n");
  EXPECT_EQ(ask(engine(), Route::kCompletions, {{"prompt", {1, 2, 999999}}}).refused->code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(ask(engine(), Route::kCompletions, {{"prompt", ""}}).refused->code, ErrorCode::kInvalidRequest);
}

// Members that llama.cpp's server would obey, but that are not part of these APIs.
TEST_F(LlamaEngineTest, IgnoresMembersThatAreNotOnTheList) {
  Json body = with(
      user_says("Hello"),
      {{"max_tokens", 3}, {"verbose", true}, {"timings_per_token", true}, {"id_slot", 3}, {"return_tokens", true}});
  Reply reply = ask(engine(), kChat, body);
  EXPECT_EQ(reply.json().size(), 7u) << reply.bytes;
}

// Members of other servers that would change the reply are refused, not ignored.
TEST_F(LlamaEngineTest, RefusesAGrammarOfTheClients) {
  const Reply reply =
      ask(engine(), kChat, with(user_says("Hello"), {{"max_tokens", 3}, {"grammar", "root ::= \"forced\""}}));
  ASSERT_TRUE(reply.refused) << reply.bytes;
  EXPECT_EQ(reply.refused->param, "grammar");
}

TEST_F(LlamaEngineTest, TokensRoundTripThroughACompletion) {
  Json tokens = ask(engine(), Route::kTokenize, {{"prompt", "The capital of France is"}}).json()["tokens"];
  Json greedy = {{"temperature", 0}, {"max_tokens", 3}};
  EXPECT_EQ(ask(engine(), Route::kCompletions, with({{"prompt", tokens}}, greedy)).text(),
            ask(engine(), Route::kCompletions, with({{"prompt", "The capital of France is"}}, greedy)).text());
}

TEST_F(LlamaEngineTest, EmbeddingsKnowMeaning) {
  Json data =
      ask(engine(), Route::kEmbeddings,
          {{"input", {"The cat sleeps on the sofa.", "A kitten is napping on the couch.", "SELECT 42 FROM t;"}}})
          .json()["data"];
  auto dot = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t i = 0; i < data[a]["embedding"].size(); ++i) {
      sum += data[a]["embedding"][i].get<double>() * data[b]["embedding"][i].get<double>();
    }
    return sum;
  };
  EXPECT_GT(dot(0, 1), dot(0, 2));
}

TEST_F(LlamaEngineTest, WritesNothingOfARequestAnywhere) {
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  ask(engine(), kChat, with(with(user_says("the secret word is xylophone"), Json::parse(kTools)), {{"max_tokens", 4}}));
  ask(engine(), kChat, with(user_says("xylophone"), {{"n", 99}}));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

// With one sequence the second reply can only come if cancelling has freed it.
TEST_F(LlamaEngineTest, CancelFreesTheSequenceWithinATokenOrSo) {
  LlamaOptions options;
  options.model_path = *find_model();
  options.parallel = 1;
  options.context_tokens = 1024;
  options.threads = 1;
  auto engine = make_llama_engine(options);
  ASSERT_TRUE(engine.has_value()) << engine.error().message;
  ASSERT_EQ(wait_loaded(**engine), Health::kReady) << (*engine)->failure();
  auto sink = std::make_shared<RecordingSink>();
  auto endless = (*engine)->start(make_request(kChat, with(user_says("Go"), {{"ignore_eos", true}}), true), sink);
  ASSERT_TRUE(endless.has_value() && sink->wait_pieces(4));
  auto waiting = std::make_shared<RecordingSink>();
  auto queued = (*engine)->start(make_request(kChat, with(user_says("Hi"), {{"max_tokens", 1}}), true), waiting);
  ASSERT_TRUE(queued.has_value());
  EXPECT_EQ((*engine)->stats().active, 1u);
  EXPECT_EQ((*engine)->stats().waiting, 1u);
  std::size_t said = sink->pieces();
  (*endless)->cancel();
  ASSERT_TRUE(waiting->wait_end());
  EXPECT_LE(sink->pieces(), said + 1);
  // An engine that is destroyed while a reply runs reports that to the reply.
  auto last = std::make_shared<RecordingSink>();
  auto running = (*engine)->start(make_request(kChat, with(user_says("Go"), {{"ignore_eos", true}}), true), last);
  ASSERT_TRUE(running.has_value() && last->wait_pieces(2));
  engine->reset();
  ASSERT_TRUE(last->error().has_value());
  EXPECT_EQ(last->error()->code, ErrorCode::kCancelled);
  (*running)->cancel();
}

TEST(LlamaLoading, NamesAMissingFile) {
  LlamaOptions options;
  options.model_path = "/nowhere/model.gguf";
  auto engine = make_llama_engine(options);
  ASSERT_FALSE(engine.has_value());
  EXPECT_EQ(engine.error().code, ErrorCode::kModelFile);
  EXPECT_NE(engine.error().message.find("/nowhere/model.gguf"), std::string::npos);
}

TEST(LlamaLoading, RefusesWhatIsNotGguf) {
  for (std::string_view bytes :
       {"", "GG", "not a model at all", "GGUF\x03\x00\x00\x00 and then nonsense of some length"}) {
    TemporaryFile file(bytes);
    LlamaOptions options;
    options.model_path = file.path();
    auto engine = make_llama_engine(options);
    ASSERT_FALSE(engine.has_value());
    EXPECT_EQ(engine.error().code, ErrorCode::kModelFile);
    EXPECT_NE(engine.error().message.find(file.path().string()), std::string::npos);
  }
}

TEST_F(LlamaEngineTest, ATruncatedFileFailsWithOneLine) {
  Result<std::string> whole = read_file(*find_model(), 1u << 30);
  ASSERT_TRUE(whole.has_value());
  TemporaryFile file(std::string_view(*whole).substr(0, whole->size() / 2));
  LlamaOptions options;
  options.model_path = file.path();
  auto engine = make_llama_engine(options);
  ASSERT_TRUE(engine.has_value()) << engine.error().message;
  EXPECT_EQ(wait_loaded(**engine), Health::kFailed);
  std::string why = (*engine)->failure();
  EXPECT_NE(why.find(file.path().string()), std::string::npos) << why;
  EXPECT_NE(why.find("not within the file bounds"), std::string::npos) << why;
  EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  EXPECT_EQ(ask(**engine, kChat, user_says("x")).refused->code, ErrorCode::kEngineFailed);
}

TEST_F(LlamaEngineTest, CanBeDroppedWhileItLoads) {
  LlamaOptions options;
  options.model_path = *find_model();
  options.threads = 1;
  for (int wait_ms : {0, 1, 20, 100, 300}) {
    auto engine = make_llama_engine(options);
    ASSERT_TRUE(engine.has_value());
    Reply reply = ask(**engine, kChat, with(user_says("x"), {{"max_tokens", 1}}));
    EXPECT_EQ(reply.refused.value_or(Error{ErrorCode::kEngineLoading, "", ""}).code, ErrorCode::kEngineLoading);
    std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  }
}

std::uint64_t cached_tokens_of(Engine& engine, std::uint8_t tenant, const std::string& text, int choices = 1) {
  EngineRequest request = make_request(kChat, with(user_says(text), {{"max_tokens", 2}, {"n", choices}}), false);
  request.tenant[0] = tenant;
  auto sink = std::make_shared<RecordingSink>();
  auto started = engine.start(std::move(request), sink);
  EXPECT_TRUE(started);
  EXPECT_TRUE(sink->wait_end());
  EXPECT_TRUE(sink->outcome());
  return sink->outcome() ? sink->outcome()->usage.cached_tokens : 0;
}

TEST_F(LlamaEngineTest, TenantsDoNotReuseEachOthersPrompts) {
  std::string text = "A secret that is long enough to be worth keeping:";
  for (int i = 0; i < 60; ++i) text += " red green blue";
  EXPECT_EQ(cached_tokens_of(engine(), 1, text), 0u);
  EXPECT_GT(cached_tokens_of(engine(), 1, text), 100u) << "its own";
  EXPECT_EQ(cached_tokens_of(engine(), 2, text), 0u) << "another's";
  EXPECT_GT(cached_tokens_of(engine(), 2, text), 100u);
  EXPECT_GT(cached_tokens_of(engine(), 1, text), 100u) << "in a sequence of its own, still";
  // Copies of a prompt in other sequences belong to no tenant.
  cached_tokens_of(engine(), 1, text + " and more of it", 4);
  for (int i = 0; i < 3; ++i) {
    const auto tenant = static_cast<std::uint8_t>(10 + i);
    EXPECT_EQ(cached_tokens_of(engine(), tenant, text + " and more of it"), 0u) << i;
  }
}

TEST_F(LlamaEngineTest, SaysHowATextWasDrawn) {
  Json body = with(user_says("Tell me a story"), {{"max_tokens", 12}, {"temperature", 0.5}, {"top_k", 5}, {"seed", 7}});
  Reply reply = ask(engine(), kChat, body);
  const Json expected = {{"temperature", "0.5"},
                         {"top_p", "0.95"},
                         {"top_k", 5},
                         {"min_p", "0.05"},
                         {"typical_p", "1"},
                         {"repetition_penalty", "1"},
                         {"presence_penalty", "0"},
                         {"frequency_penalty", "0"},
                         {"penalty_tokens", 64},
                         {"max_tokens", 12},
                         {"seed", 7}};
  EXPECT_EQ(reply.outcome.sampling, expected) << reply.outcome.sampling.dump();
}

// Without a seed one is chosen and reported: the text can be reproduced with it.
TEST_F(LlamaEngineTest, TheSeedThatItChoseReproducesTheText) {
  Json body = {{"prompt", "Once upon a time"}, {"max_tokens", 16}, {"temperature", 1}};
  Reply first = ask(engine(), Route::kCompletions, body);
  const Json& seed = first.outcome.sampling["seed"];
  ASSERT_TRUE(seed.is_number_unsigned()) << first.outcome.sampling.dump();
  EXPECT_NE(seed, ask(engine(), Route::kCompletions, body).outcome.sampling["seed"]);
  EXPECT_EQ(ask(engine(), Route::kCompletions, with(body, {{"seed", seed}})).text(), first.text());
}

LlamaOptions small_model(const std::filesystem::path& path) {
  LlamaOptions options;
  options.model_path = path;
  options.parallel = 1;
  options.context_tokens = 256;
  options.watch_interval = std::chrono::milliseconds(5);
  return options;
}

TEST_F(LlamaEngineTest, ServesTheIdentityThatIsPublished) {
  LlamaOptions options = small_model(*find_model());
  std::vector<Json> told;
  options.on_identity = [&told](const Json& identity) -> Result<void> {
    told.push_back(identity);
    return {};
  };
  auto engine = make_llama_engine(options);
  ASSERT_TRUE(engine);
  ASSERT_EQ(wait_loaded(**engine), Health::kReady) << (*engine)->failure();
  const auto served = (*engine)->models().front().identity;
  ASSERT_NE(served, nullptr);
  ASSERT_EQ(told, std::vector<Json>{*served}) << "told once, before the first prompt";
  auto published = llama_model_identity(options);
  ASSERT_TRUE(published) << published.error().message;
  (*published)["weights"]["memory"] = (*served)["weights"]["memory"];
  EXPECT_EQ(*published, *served);
  EXPECT_EQ((*served)["context_length"], (*engine)->models().front().context_length);
}

TEST_F(LlamaEngineTest, IsNotReadyWhereItCannotBeMeasured) {
  LlamaOptions options = small_model(*find_model());
  options.on_identity = [](const Json&) -> Result<void> {
    return fail(ErrorCode::kTeeFailed, "the register is stuck");
  };
  auto engine = make_llama_engine(options);
  ASSERT_TRUE(engine);
  EXPECT_EQ(wait_loaded(**engine), Health::kFailed);
  EXPECT_EQ((*engine)->failure(), "the register is stuck");
  EXPECT_EQ((*engine)->models().front().identity, nullptr);
  EXPECT_EQ(ask(**engine, kChat, user_says("x")).refused->code, ErrorCode::kEngineFailed);
}

TEST_F(LlamaEngineTest, ClosesWhenItsFileChanges) {
  Result<std::string> whole = read_file(*find_model(), 1u << 30);
  ASSERT_TRUE(whole);
  TemporaryFile file(*whole);
  auto engine = make_llama_engine(small_model(file.path()));
  ASSERT_TRUE(engine);
  ASSERT_EQ(wait_loaded(**engine), Health::kReady) << (*engine)->failure();
  auto sink = std::make_shared<RecordingSink>();
  Json body = {{"prompt", "One"}, {"max_tokens", 200}, {"ignore_eos", true}, {"seed", 1}};
  auto running = (*engine)->start(make_request(Route::kCompletions, body, true), sink);
  ASSERT_TRUE(running);
  ASSERT_TRUE(sink->wait_pieces(1));
  std::filesystem::last_write_time(file.path(), std::filesystem::file_time_type::clock::now());
  ASSERT_TRUE(sink->wait_end());
  ASSERT_TRUE(sink->error()) << "a text from weights that nobody measured";
  EXPECT_EQ(sink->error()->code, ErrorCode::kEngineFailed);
  EXPECT_EQ((*engine)->health(), Health::kFailed);
  EXPECT_NE((*engine)->failure().find(file.path().filename().string()), std::string::npos) << (*engine)->failure();
  EXPECT_EQ((*engine)->models().front().identity, nullptr);
  EXPECT_EQ(ask(**engine, kChat, user_says("x")).refused->code, ErrorCode::kEngineFailed);
}

TEST_F(LlamaEngineTest, AChatTemplateInThePlaceOfItsOwn) {
  LlamaOptions options = small_model(*find_model());
  const auto own = llama_model_identity(options);
  options.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}";
  const auto other = llama_model_identity(options);
  ASSERT_TRUE(own && other);
  EXPECT_NE((*own)["chat_template_digest"], (*other)["chat_template_digest"]);
  EXPECT_EQ((*own)["weights"], (*other)["weights"]);
  options.chat_template = "{% for";
  const auto refused = make_llama_engine(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace cloister::engine
