#include "serve/openai/request_check.h"

#include <limits>

#include "codec/json.h"
#include "serve/openai/chat_check.h"
#include "serve/openai/parameter.h"

namespace cloister::serve {
namespace {

using engine::Route;

constexpr std::int64_t kMostTokens = 1 << 24;
constexpr std::size_t kMostStops = 16;
constexpr std::int64_t kMostChoices = 16;

Result<void> check_stop(const Json& body, std::string_view name) {
  const Json* stop = present(body, name);
  if (stop == nullptr || stop->is_string()) return {};
  if (!stop->is_array()) {
    return invalid_parameter(name, "'" + std::string(name) + "' must be a string or an array of strings");
  }
  if (stop->size() > kMostStops) {
    return invalid_parameter(name, "'" + std::string(name) + "' has " + std::to_string(stop->size()) +
                                       " entries; the limit is " + std::to_string(kMostStops));
  }
  for (const Json& word : *stop) {
    if (!word.is_string() || word.get_ref<const std::string&>().empty()) {
      return invalid_parameter(name, "'" + std::string(name) + "' must hold non-empty strings only");
    }
  }
  return {};
}

Result<void> check_logit_bias(const Json& body) {
  TRY_VOID(want_object(body, "logit_bias"));
  const Json* bias = present(body, "logit_bias");
  if (bias == nullptr) return {};
  for (const auto& [token, value] : bias->items()) {
    bool digits = !token.empty() && token.size() <= 9 && token.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) return invalid_parameter("logit_bias", "'logit_bias' must map token ids (decimal) to numbers");
    if (!value.is_number() || value.get<double>() < -100 || value.get<double>() > 100) {
      return invalid_parameter("logit_bias", "'logit_bias' values must be numbers from -100 to 100");
    }
  }
  return {};
}

// What chat completions and text completions share.
Result<void> check_sampling(const Json& body) {
  TRY_VOID(want_integer(body, "n", 1, kMostChoices));
  TRY_VOID(want_integer(body, "seed", std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
  TRY_VOID(want_number(body, "temperature", 0, 2));
  TRY_VOID(want_number(body, "top_p", 0, 1));
  TRY_VOID(want_integer(body, "top_k", -1, 1 << 20));
  TRY_VOID(want_number(body, "min_p", 0, 1));
  TRY_VOID(want_number(body, "presence_penalty", -2, 2));
  TRY_VOID(want_number(body, "frequency_penalty", -2, 2));
  TRY_VOID(want_number(body, "repeat_penalty", 0, 2));
  TRY_VOID(want_integer(body, "max_tokens", 1, kMostTokens));
  TRY_VOID(want_integer(body, "max_completion_tokens", 1, kMostTokens));
  TRY_VOID(want_boolean(body, "ignore_eos"));
  TRY_VOID(want_string(body, "user"));
  TRY_VOID(check_stop(body, "stop"));
  return check_logit_bias(body);
}

Result<void> check_stream_options(const Json& body, bool stream) {
  TRY_VOID(want_object(body, "stream_options"));
  const Json* options = present(body, "stream_options");
  if (options == nullptr) return {};
  if (!stream) return invalid_parameter("stream_options", "'stream_options' is only allowed when 'stream' is true");
  return want_boolean(*options, "include_usage");
}

Result<void> refuse_unsupported(const Json& body) {
  for (std::string_view name : {"functions", "function_call", "audio", "web_search_options", "prediction"}) {
    if (present(body, name) != nullptr) {
      return fail(ErrorCode::kUnsupported, "'" + std::string(name) + "' is not supported", std::string(name));
    }
  }
  return {};
}

Result<void> check_chat(const Json& body, bool stream) {
  TRY_VOID(check_messages(body));
  TRY_VOID(check_sampling(body));
  TRY_VOID(refuse_unsupported(body));
  TRY_VOID(want_boolean(body, "logprobs"));
  TRY_VOID(want_integer(body, "top_logprobs", 0, 20));
  const Json* logprobs = present(body, "logprobs");
  if (present(body, "top_logprobs") != nullptr && (logprobs == nullptr || !logprobs->get<bool>())) {
    return invalid_parameter("top_logprobs", "'top_logprobs' needs 'logprobs' to be true");
  }
  TRY_VOID(check_tools(body));
  TRY_VOID(check_response_format(body));
  return check_stream_options(body, stream);
}

bool is_token_array(const Json& value) {
  if (!value.is_array() || value.empty()) return false;
  for (const Json& item : value) {
    if (!item.is_number_integer()) return false;
  }
  return true;
}

// A prompt or an input: a string, tokens, or an array of either.
Result<void> check_text_input(const Json& body, std::string_view name) {
  constexpr std::size_t kMostInputs = 2048;
  const Json* input = present(body, name);
  std::string quoted = "'" + std::string(name) + "'";
  if (input == nullptr) return invalid_parameter(name, quoted + " is required");
  if (input->is_string()) {
    if (input->get_ref<const std::string&>().empty()) return invalid_parameter(name, quoted + " is empty");
    return {};
  }
  if (is_token_array(*input)) return {};
  if (!input->is_array() || input->empty()) {
    return invalid_parameter(name, quoted + " must be a string, an array of token ids, or a non-empty array of those");
  }
  if (input->size() > kMostInputs) {
    return invalid_parameter(name, quoted + " has " + std::to_string(input->size()) + " entries; the limit is " +
                                       std::to_string(kMostInputs));
  }
  for (const Json& item : *input) {
    bool text = item.is_string() && !item.get_ref<const std::string&>().empty();
    if (!text && !is_token_array(item)) {
      return invalid_parameter(name, quoted + " must hold non-empty strings or arrays of token ids only");
    }
  }
  return {};
}

Result<void> check_completion(const Json& body, bool stream) {
  TRY_VOID(check_text_input(body, "prompt"));
  TRY_VOID(check_sampling(body));
  TRY_VOID(want_integer(body, "logprobs", 0, 20));
  for (std::string_view name : {"suffix", "best_of"}) {
    const Json* value = present(body, name);
    if (value != nullptr && *value != 1) {
      return fail(ErrorCode::kUnsupported, "'" + std::string(name) + "' is not supported", std::string(name));
    }
  }
  TRY_VOID(want_boolean(body, "echo"));
  if (body.value("echo", Json()) == true) return fail(ErrorCode::kUnsupported, "'echo' is not supported", "echo");
  return check_stream_options(body, stream);
}

Result<void> check_embeddings(const Json& body) {
  TRY_VOID(check_text_input(body, "input"));
  TRY_VOID(want_one_of(body, "encoding_format", {"float", "base64"}));
  if (present(body, "dimensions") != nullptr) {
    return fail(ErrorCode::kUnsupported, "'dimensions' is not supported: the model's own size is given", "dimensions");
  }
  return want_string(body, "user");
}

Result<void> check_responses(const Json& body) {
  const Json* input = present(body, "input");
  if (input == nullptr || (!input->is_string() && !input->is_array())) {
    return invalid_parameter("input", "'input' must be a string or an array of items");
  }
  if (input->empty()) return invalid_parameter("input", "'input' is empty");
  for (std::string_view name : {"previous_response_id", "conversation", "background"}) {
    const Json* value = present(body, name);
    if (value != nullptr && *value != false) {
      return fail(ErrorCode::kUnsupported, "'" + std::string(name) + "' is not supported: nothing is stored",
                  std::string(name));
    }
  }
  TRY_VOID(want_string(body, "instructions"));
  TRY_VOID(want_integer(body, "max_output_tokens", 1, kMostTokens));
  TRY_VOID(want_number(body, "temperature", 0, 2));
  TRY_VOID(want_number(body, "top_p", 0, 1));
  return want_array(body, "tools");
}

Result<void> check_anthropic(const Json& body) {
  TRY_VOID(want_array(body, "messages"));
  const Json* messages = present(body, "messages");
  if (messages == nullptr || messages->empty()) return invalid_parameter("messages", "'messages' is required and not empty");
  for (const Json& message : *messages) {
    bool good = message.is_object() && (message.value("role", Json()) == "user" || message.value("role", Json()) == "assistant");
    if (!good) return invalid_parameter("messages", "each message needs a role of user or assistant");
  }
  if (present(body, "max_tokens") == nullptr) return invalid_parameter("max_tokens", "'max_tokens' is required");
  TRY_VOID(want_integer(body, "max_tokens", 1, kMostTokens));
  TRY_VOID(want_number(body, "temperature", 0, 1));
  TRY_VOID(want_number(body, "top_p", 0, 1));
  TRY_VOID(want_integer(body, "top_k", -1, 1 << 20));
  TRY_VOID(check_stop(body, "stop_sequences"));
  return want_array(body, "tools");
}

Result<void> check_tokenize(const Json& body) {
  if (present(body, "messages") != nullptr) return check_messages(body);
  TRY_VOID(want_string(body, "prompt"));
  if (present(body, "prompt") == nullptr) return invalid_parameter("prompt", "'prompt' or 'messages' is required");
  return {};
}

Result<void> check_route(Route route, const Json& body, bool stream) {
  switch (route) {
    case Route::kChatCompletions: return check_chat(body, stream);
    case Route::kCompletions: return check_completion(body, stream);
    case Route::kEmbeddings: return check_embeddings(body);
    case Route::kResponses: return check_responses(body);
    case Route::kMessages: return check_anthropic(body);
    case Route::kTokenize: return check_tokenize(body);
  }
  return {};
}

}  // namespace

Result<CheckedRequest> check_request(Route route, std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kBadJson, "the request body is empty; a JSON object is expected");
  TRY(body, codec::parse_json(text));
  if (!body.is_object()) {
    return fail(ErrorCode::kBadJson, "the request body must be a JSON object, got " + std::string(type_name(body)));
  }
  TRY_VOID(want_string(body, "model"));
  TRY_VOID(want_boolean(body, "stream"));
  CheckedRequest checked;
  if (const Json* model = present(body, "model")) checked.model = model->get<std::string>();
  if (const Json* stream = present(body, "stream")) checked.stream = stream->get<bool>();
  TRY_VOID(check_route(route, body, checked.stream));
  bool never_streams = route == Route::kEmbeddings || route == Route::kTokenize;
  if (never_streams && checked.stream) return invalid_parameter("stream", "this route does not stream");
  return checked;
}

}  // namespace cloister::serve
