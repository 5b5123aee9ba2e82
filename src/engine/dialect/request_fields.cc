#include "engine/dialect/request_fields.h"

#include <cmath>
#include <limits>

#include "engine/dialect/members.h"
#include "engine/dialect/message_checks.h"
#include "engine/dialect/reply_demands.h"

namespace cloister::engine {
namespace {

constexpr int kMaxChoices = 128;
constexpr std::size_t kMaxStops = 16;
constexpr std::size_t kMaxStopBytes = 1024;
constexpr std::size_t kMaxBiases = 1024;

struct NumberRule {
  const char* name;
  double least;
  double most;
  bool integer;
};

constexpr double kIntMax = std::numeric_limits<int>::max();
// One table for all routes, since the dialects agree on the meaning of these names.
constexpr NumberRule kNumberRules[] = {
    {"temperature", 0, 2, false},
    {"top_p", 0, 1, false},
    {"min_p", 0, 1, false},
    {"typical_p", 0, 1, false},
    {"top_k", -1, kIntMax, true},
    {"presence_penalty", -2, 2, false},
    {"frequency_penalty", -2, 2, false},
    {"repetition_penalty", 0.01, 2, false},
    {"n", 1, kMaxChoices, true},
    {"seed", -9223372036854775808.0, 18446744073709551615.0, true},
    {"max_tokens", 1, kIntMax, true},
    {"max_completion_tokens", 1, kIntMax, true},
    {"max_output_tokens", 1, kIntMax, true},
    {"top_logprobs", 0, 20, true},
};

constexpr const char* kFlags[] = {"stream", "ignore_eos", "parallel_tool_calls",
                                  "echo",   "store",      "add_generation_prompt"};

std::string number_text(double value) {
  std::string text = std::to_string(value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Error wrong_type(const std::string& name, std::string_view expected, const Json& actual) {
  return fail(ErrorCode::kInvalidRequest,
              "'" + name + "' must be " + std::string(expected) + ", got " + actual.type_name(), name);
}

Result<void> check_number(const NumberRule& rule, const Json& value) {
  if (!value.is_number()) return wrong_type(rule.name, rule.integer ? "an integer" : "a number", value);
  double number = value.get<double>();
  if (rule.integer && (!std::isfinite(number) || number != std::floor(number))) {
    return fail(ErrorCode::kInvalidRequest, "'" + std::string(rule.name) + "' must be an integer, got a fraction",
                rule.name);
  }
  if (!(number >= rule.least && number <= rule.most)) {
    return fail(ErrorCode::kInvalidRequest,
                "'" + std::string(rule.name) + "' must be from " + number_text(rule.least) + " to " +
                    number_text(rule.most) + ", got " + number_text(number),
                rule.name);
  }
  return {};
}

Result<std::vector<std::string>> read_stop(const Json& body, const char* name) {
  std::vector<std::string> stops;
  const Json* value = find_member(body, name);
  if (value == nullptr) return stops;
  Json list = value->is_string() ? Json::array({*value}) : *value;
  if (!list.is_array()) return wrong_type(name, "a string or an array of strings", *value);
  if (list.size() > kMaxStops) {
    return fail(ErrorCode::kInvalidRequest,
                "'" + std::string(name) + "' may hold at most " + std::to_string(kMaxStops) + " strings, got " +
                    std::to_string(list.size()),
                name);
  }
  for (const Json& item : list) {
    if (!item.is_string()) return wrong_type(name, "a string or an array of strings", item);
    const std::string& text = item.get_ref<const std::string&>();
    if (text.size() > kMaxStopBytes) {
      return fail(ErrorCode::kInvalidRequest,
                  "a stop string may be at most " + std::to_string(kMaxStopBytes) + " bytes long", name);
    }
    if (text.empty())
      return fail(ErrorCode::kInvalidRequest, "'" + std::string(name) + "' must hold non-empty strings only", name);
    stops.push_back(text);
  }
  return stops;
}

Result<void> check_logit_bias(const Json& body) {
  const Json* bias = find_member(body, "logit_bias");
  if (bias == nullptr) return {};
  if (!bias->is_object()) return wrong_type("logit_bias", "an object from token id to number", *bias);
  if (bias->size() > kMaxBiases) {
    return fail(
        ErrorCode::kInvalidRequest,
        "'logit_bias' may hold at most " + std::to_string(kMaxBiases) + " tokens, got " + std::to_string(bias->size()),
        "logit_bias");
  }
  for (const auto& [key, value] : bias->items()) {
    bool is_id = !key.empty() && key.size() <= 9 && key.find_first_not_of("0123456789") == std::string::npos;
    if (!is_id || !value.is_number() || std::abs(value.get<double>()) > 100) {
      return fail(ErrorCode::kInvalidRequest, "'logit_bias' maps token ids to numbers between -100 and 100",
                  "logit_bias");
    }
  }
  return {};
}

// Chat: "logprobs" is a flag and "top_logprobs" a count. Completions: "logprobs" is the count.
Result<std::optional<int>> read_logprobs(Route route, const Json& body) {
  const Json* logprobs = find_member(body, "logprobs");
  const Json* top = find_member(body, "top_logprobs");
  if (route == Route::kCompletions) {
    if (logprobs == nullptr) return std::optional<int>();
    TRY_VOID(check_number({"logprobs", 0, 5, true}, *logprobs));
    return std::optional<int>(logprobs->get<int>());
  }
  if (route != Route::kChatCompletions) return std::optional<int>();
  if (logprobs != nullptr && !logprobs->is_boolean()) return wrong_type("logprobs", "a boolean", *logprobs);
  bool wanted = logprobs != nullptr && logprobs->get<bool>();
  if (!wanted && top != nullptr) {
    return fail(ErrorCode::kInvalidRequest, "'top_logprobs' needs 'logprobs' to be true", "top_logprobs");
  }
  if (!wanted) return std::optional<int>();
  return std::optional<int>(top == nullptr ? 0 : top->get<int>());
}

Result<bool> read_include_usage(const Json& body) {
  const Json* options = find_member(body, "stream_options");
  if (options == nullptr) return false;
  if (!options->is_object()) return wrong_type("stream_options", "an object", *options);
  const Json* stream = find_member(body, "stream");
  if (stream == nullptr || *stream != Json(true)) {
    return fail(ErrorCode::kInvalidRequest, "'stream_options' is only allowed when 'stream' is true", "stream_options");
  }
  const Json* include = find_member(*options, "include_usage");
  if (include == nullptr) return false;
  if (!include->is_boolean()) return wrong_type("stream_options.include_usage", "a boolean", *include);
  return include->get<bool>();
}

Result<void> check_response_format(const Json& body) {
  const Json* format = find_member(body, "response_format");
  if (format == nullptr) return {};
  if (!format->is_object()) return wrong_type("response_format", "an object", *format);
  std::string type = text_member(*format, "type");
  if (type == "text" || type == "json_object") return {};
  if (type != "json_schema") {
    return fail(ErrorCode::kInvalidRequest, "'response_format.type' must be one of: text, json_object, json_schema",
                "response_format.type");
  }
  const Json* wrapper = find_member(*format, "json_schema");
  const Json* schema = wrapper != nullptr && wrapper->is_object() ? find_member(*wrapper, "schema") : nullptr;
  if (schema == nullptr || !schema->is_object()) {
    return fail(ErrorCode::kInvalidRequest, "'response_format.json_schema.schema' must be an object",
                "response_format.json_schema");
  }
  return {};
}

Result<void> refuse_members(const Json& body, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (find_member(body, name) != nullptr) {
      return fail(ErrorCode::kUnsupported, "'" + std::string(name) + "' is not supported", name);
    }
  }
  return {};
}

// A completion may have several prompts, with `n` choices for each.
Result<void> check_total_choices(const Json& prompt, int choices) {
  bool list = prompt.is_array() && !prompt.front().is_number();
  std::size_t total = (list ? prompt.size() : 1) * static_cast<std::size_t>(choices);
  if (total <= kMaxChoices) return {};
  return fail(ErrorCode::kInvalidRequest,
              "a request may ask for at most " + std::to_string(kMaxChoices) + " choices, prompts times 'n', got " +
                  std::to_string(total),
              "prompt");
}

// Members that would change the reply if they were followed, but are not: they are refused instead of ignored in silence.
Result<void> check_unsupported(Route route, const Json& body) {
  if (route == Route::kEmbeddings) return refuse_members(body, {"dimensions"});
  if (route == Route::kChatCompletions) {
    return refuse_members(body, {"functions", "function_call", "audio", "web_search_options", "prediction"});
  }
  if (route == Route::kMessages && find_member(body, "max_tokens") == nullptr) {
    return fail(ErrorCode::kInvalidRequest, "'max_tokens' is required", "max_tokens");
  }
  if (route == Route::kCompletions) {
    TRY_VOID(refuse_members(body, {"suffix", "best_of"}));
    const Json* echo = find_member(body, "echo");
    if (echo != nullptr && *echo == Json(true)) return fail(ErrorCode::kUnsupported, "'echo' is not supported", "echo");
  }
  if (route == Route::kResponses) {
    for (const char* name : {"previous_response_id", "conversation", "background"}) {
      const Json* value = find_member(body, name);
      if (value != nullptr && *value != Json(false)) {
        return fail(ErrorCode::kUnsupported, "'" + std::string(name) + "' is not supported: no reply is kept here",
                    name);
      }
    }
  }
  return {};
}

}  // namespace

Result<RequestFields> read_request_fields(Route route, const Json& body) {
  if (!body.is_object()) return fail(ErrorCode::kInvalidRequest, "the body must be a JSON object");
  for (const NumberRule& rule : kNumberRules) {
    if (const Json* value = find_member(body, rule.name)) TRY_VOID(check_number(rule, *value));
  }
  for (const char* name : kFlags) {
    const Json* value = find_member(body, name);
    if (value != nullptr && !value->is_boolean()) return wrong_type(name, "a boolean", *value);
  }
  TRY_VOID(check_unsupported(route, body));
  TRY_VOID(check_reply_demands(route, body));
  TRY_VOID(check_logit_bias(body));
  TRY_VOID(check_response_format(body));
  TRY_VOID(check_input(route, body));
  TRY_VOID(check_tools(route, body));
  RequestFields fields;
  if (const Json* n = find_member(body, "n")) fields.choices = n->get<int>();
  if (route == Route::kCompletions) TRY_VOID(check_total_choices(body["prompt"], fields.choices));
  for (const char* name : {"max_output_tokens", "max_tokens", "max_completion_tokens"}) {
    if (const Json* value = find_member(body, name)) fields.max_tokens = value->get<int>();
  }
  TRY(stop, read_stop(body, route == Route::kMessages ? "stop_sequences" : "stop"));
  fields.stop = std::move(stop);
  TRY(usage, read_include_usage(body));
  fields.include_usage = usage;
  TRY(logprobs, read_logprobs(route, body));
  fields.top_logprobs = logprobs;
  return fields;
}

}  // namespace cloister::engine
