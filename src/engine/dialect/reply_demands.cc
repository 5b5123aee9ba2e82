#include "engine/dialect/reply_demands.h"

#include <algorithm>
#include <string_view>

#include "engine/dialect/members.h"

namespace cloister::engine {
namespace {

// Members of other servers: vLLM, SGLang, llama.cpp's own server, text-generation-inference.
constexpr const char* kOfOthers[] = {
    "structured_outputs",
    "guided_choice",
    "guided_json",
    "guided_regex",
    "guided_grammar",
    "grammar",
    "json_schema",
    "regex",
    "ebnf",
    "structural_tag",
    "min_tokens",
    "prompt_logprobs",
    "bad_words",
    "stop_token_ids",
    "allowed_token_ids",
    "logits_processors",
    "length_penalty",
    "use_beam_search",
    "n_predict",
    "mirostat",
    "dry_multiplier",
    "xtc_probability",
    "dynatemp_range",
    "top_a",
    "tfs_z",
    "typical",
    "top_n_sigma",
    "thinking_token_budget",
};

bool asks_for_nothing(const Json& value) {
  if (value.is_null() || value == Json(false)) return true;
  if (value.is_number()) return value == Json(0) || value.get<double>() == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_structured() && value.empty();
}

// The empty schema admits every JSON text: it is a demand, not the absence of one.
bool is_schema(std::string_view name) { return name == "guided_json" || name == "json_schema"; }

Error refuse(const std::string& name, const std::string& why = "is not supported") {
  return fail(ErrorCode::kUnsupported, "'" + name + "' " + why, name);
}

Result<void> check_format(const Json& format, const std::string& name) {
  if (!format.is_object()) return fail(ErrorCode::kInvalidRequest, "'" + name + "' must be an object", name);
  const std::string type = text_member(format, "type");
  if (type == "json_object" || type == "text") return {};
  if (type != "json_schema") {
    return fail(ErrorCode::kInvalidRequest, "'" + name + ".type' must be one of: text, json_object, json_schema",
                name + ".type");
  }
  const Json* schema = find_member(format, "schema");
  if (schema == nullptr || !schema->is_object()) {
    return fail(ErrorCode::kInvalidRequest, "'" + name + ".schema' must be an object", name + ".schema");
  }
  return {};
}

Result<void> check_responses(const Json& body) {
  if (const Json* text = find_member(body, "text")) {
    if (!text->is_object()) return fail(ErrorCode::kInvalidRequest, "'text' must be an object", "text");
    if (const Json* format = find_member(*text, "format")) TRY_VOID(check_format(*format, "text.format"));
  }
  if (find_member(body, "prompt") != nullptr) return refuse("prompt", "is not supported: no prompt is kept here");
  const Json* instructions = find_member(body, "instructions");
  if (instructions != nullptr && !instructions->is_string()) {
    return fail(ErrorCode::kInvalidRequest, "'instructions' must be a string", "instructions");
  }
  const Json* top = find_member(body, "top_logprobs");
  if (top != nullptr && !asks_for_nothing(*top)) return refuse("top_logprobs");
  const Json* include = find_member(body, "include");
  if (include != nullptr && include->is_array() &&
      std::find(include->begin(), include->end(), Json("message.output_text.logprobs")) != include->end()) {
    return refuse("include", "asks for log probabilities, which this route does not give");
  }
  return {};
}

Result<void> check_messages(const Json& body) {
  if (const Json* config = find_member(body, "output_config")) {
    if (!config->is_object())
      return fail(ErrorCode::kInvalidRequest, "'output_config' must be an object", "output_config");
    if (const Json* format = find_member(*config, "format")) TRY_VOID(check_format(*format, "output_config.format"));
  }
  if (const Json* format = find_member(body, "output_format")) TRY_VOID(check_format(*format, "output_format"));
  return {};
}

}  // namespace

Result<void> check_reply_demands(Route route, const Json& body) {
  if (route == Route::kEmbeddings || route == Route::kTokenize) return {};
  for (const char* name : kOfOthers) {
    const Json* value = find_member(body, name);
    if (value != nullptr && (!asks_for_nothing(*value) || (is_schema(name) && value->is_object()))) return refuse(name);
  }
  if (const Json* modalities = find_member(body, "modalities");
      modalities != nullptr && *modalities != Json::array({"text"})) {
    return refuse("modalities", "may be [\"text\"] only");
  }
  if (route == Route::kResponses) return check_responses(body);
  if (route == Route::kMessages) return check_messages(body);
  if (route != Route::kCompletions) return {};
  const Json* format = find_member(body, "response_format");
  if (format != nullptr && text_member(*format, "type") != "text")
    return refuse("response_format", "is not supported on this route");
  return {};
}

}  // namespace cloister::engine
