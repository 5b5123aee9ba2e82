#include "engine/llama/prompt.h"

#include <algorithm>

#include "crypto/hash.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_forms.h"
#include "engine/dialect/request_schemas.h"
#include "engine/llama/chatml_tools.h"
#include "engine/llama/llama_body.h"
#include "engine/llama/sampling_record.h"
#include "server-chat.h"
#include "server-schema.h"

namespace cloister::engine::llama {
namespace {

constexpr std::size_t kMaxMessageBytes = 300;

constexpr std::size_t kMaxMembers = 2048;

// `name`: the request's member that the value is part of.
Result<void> check_members(const Json& value, const std::string& name) {
  if (value.is_object() && value.size() > kMaxMembers) {
    std::string message = "an object in the request has more than 2,048 members";
    if (!name.empty()) message.append(", in '").append(name).append("'");
    return fail(ErrorCode::kInvalidRequest, std::move(message), name);
  }
  if (value.is_object()) {
    for (const auto& item : value.items()) TRY_VOID(check_members(item.value(), name.empty() ? item.key() : name));
  } else if (value.is_array()) {
    for (const Json& item : value) TRY_VOID(check_members(item, name));
  }
  return {};
}

std::size_t text_bytes(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size();
  std::size_t sum = 0;
  if (value.is_structured()) {
    for (const Json& item : value) sum += text_bytes(item);
  }
  return sum;
}

// A text that cannot fit is refused before it is tokenized: for some texts that takes the square of their length.
Result<void> check_text(const LoadedModel& model, const Json& body) {
  std::size_t bytes = 0;
  for (const char* name : {"messages", "prompt", "input", "instructions", "system", "tools"}) {
    if (const Json* text = find_member(body, name)) bytes += text_bytes(*text);
  }
  const auto limit = static_cast<std::size_t>(model.context_tokens()) * model.longest_piece();
  if (bytes <= limit) return {};
  return fail(ErrorCode::kContextLength,
              "the prompt has " + std::to_string(bytes) + " bytes of text, but this model's context of " +
                  std::to_string(model.context_tokens()) + " tokens holds at most " + std::to_string(limit),
              "messages");
}

common_json to_llama(const Json& value) { return common_json::parse(value.dump()); }

// What the library needs to start, for any route.
struct Formatted {
  common_json data;  // "prompt" and everything else that its schema reads
  bool plain = true;
};

// A parser that takes all text as content only costs time: the pieces are the content.
bool is_plain_parser(const std::string& parser) {
  if (parser.empty()) return true;
  constexpr std::string_view kContentTag = "\"tag\":\"content\"";
  std::size_t tag = parser.find("\"tag\":");
  bool one_tag = tag != std::string::npos && parser.compare(tag, kContentTag.size(), kContentTag) == 0 &&
                 parser.find("\"tag\":", tag + 1) == std::string::npos;
  if (!one_tag || parser.find("\"type\":\"until\",\"delimiters\":[]") == std::string::npos) return false;
  for (const char* structure : {"\"type\":\"choice\"", "\"type\":\"rule\"", "\"type\":\"repetition\"",
                                "\"type\":\"and\"", "\"type\":\"not\"", "\"delimiters\":[\""}) {
    if (parser.find(structure) != std::string::npos) return false;
  }
  return true;
}

common_json chat_form(Route route, const Json& conversation) {
  common_json form = to_llama(conversation);
  if (route == Route::kResponses) return server_chat_convert_responses_to_chatcmpl(form);
  if (route != Route::kMessages) return form;
  common_json chat = server_chat_convert_anthropic_to_oai(form);
  if (form.contains("response_format")) chat["response_format"] = form.at("response_format");
  return chat;
}

// The library's name of the rule for a function's arguments.
std::string rule_of_arguments(const std::string& tool) {
  std::string name = "tool-";
  name.append(tool).append("-schema");
  for (char& c : name) {
    const bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!kept) c = '-';
  }
  name.insert(name.begin(), '\n');
  return name.append(" ::= ");
}

// The library decides whether a template's grammar has a place for a schema: what it left out must not count as
// enforced.
Result<void> check_grammar(const common_json& data, const RequestSchemas& schemas) {
  std::string grammar(1, '\n');
  if (data.contains("grammar")) grammar.append(data.at("grammar").get<std::string>());
  const bool always = grammar.size() > 1 && !(data.contains("grammar_lazy") && data.at("grammar_lazy").get<bool>());
  if (schemas.constrains_reply && !always) {
    return fail(ErrorCode::kUnsupported, "this model's chat template has no place for a format of the reply",
                "response_format");
  }
  for (const std::string& tool : schemas.strict_tools) {
    if (!schemas.constrains_reply && grammar.find(rule_of_arguments(tool)) != std::string::npos) continue;
    return fail(ErrorCode::kUnsupported, "'strict' cannot be enforced for functions with this model's chat template",
                "tools");
  }
  return {};
}

// The library's grammar lets a model of one call at a time repeat the call, and a small model does so until its limit.
void allow_one_call(common_json& data) {
  if (!data.contains("grammar")) return;
  std::string grammar = data.at("grammar").get<std::string>();
  std::size_t from = grammar.find("\ntool-calls ::= ");
  if (from == std::string::npos) return;
  std::size_t to = grammar.find('\n', from + 1);
  data["grammar"] = grammar.replace(from, to - from, "\ntool-calls ::= tool-call space");
}

Result<Formatted> format_chat(const LoadedModel& model, Route route, const Json& body) {
  const server_chat_params* params = uses_tools(route, body) ? model.tool_chat_params() : model.chat_params();
  if (params == nullptr) {
    return fail(ErrorCode::kUnsupported, "this model's chat template has no place for tools", "tools");
  }
  bool ours = params != model.chat_params();
  std::vector<raw_buffer> files;
  common_json chat;
  Formatted out;
  Json conversation = conversation_members(route, body);
  TRY(schemas, apply_schema_rules(route, conversation));
  auto apply_template = [&](const Json& request) {
    chat = chat_form(route, request);
    if (ours && !chat.contains("parallel_tool_calls")) chat["parallel_tool_calls"] = false;
    out.data = oaicompat_chat_params_parse(chat, *params, files);
  };
  try {
    apply_template(conversation);
  } catch (const std::exception&) {
    // Some templates accept a system message at the beginning only.
    Json joined = conversation;
    if (route != Route::kMessages || !join_system_messages(joined)) throw;
    apply_template(joined);
  }
  TRY_VOID(check_grammar(out.data, schemas));
  if (!files.empty()) return fail(ErrorCode::kUnsupported, "this model takes text only", "messages");
  if (ours && !chat.at("parallel_tool_calls").get<bool>()) allow_one_call(out.data);
  if (ours && demands_tool(route, body)) {
    for (const char* name : {"prompt", "generation_prompt"}) {
      out.data[name] = out.data.at(name).get<std::string>() + std::string(kChatMlCallStart);
    }
  }
  std::string parser = out.data.contains("chat_parser") ? out.data.at("chat_parser").get<std::string>() : "";
  out.plain = is_plain_parser(parser) && !out.data.contains("continue_final_message");
  return out;
}

Result<Formatted> format_request(const LoadedModel& model, Route route, const Json& body) {
  if (route != Route::kCompletions) return format_chat(model, route, body);
  Formatted out;
  out.data["prompt"] = to_llama(body["prompt"]);
  return out;
}

Result<void> check_tokens(const LoadedModel& model, const server_tokens& tokens) {
  auto limit = static_cast<std::size_t>(model.context_tokens());
  if (tokens.empty()) return fail(ErrorCode::kInvalidRequest, "the prompt is empty", "prompt");
  if (tokens.size() >= limit) {
    return fail(ErrorCode::kContextLength,
                "the prompt has " + std::to_string(tokens.size()) + " tokens, but this model's context is " +
                    std::to_string(limit) + " tokens, of which the reply needs at least one",
                "messages");
  }
  const llama_tokens& ids = tokens.get_tokens();
  int vocabulary = llama_vocab_n_tokens(model.vocab());
  if (std::any_of(ids.begin(), ids.end(), [&](llama_token id) { return id < 0 || id >= vocabulary; })) {
    return fail(ErrorCode::kInvalidRequest,
                "the prompt has a token id that is not below " + std::to_string(vocabulary) + ", the vocabulary's size",
                "prompt");
  }
  return {};
}

// The library ignores a bias for a token that does not exist.
Result<void> check_biases(const LoadedModel& model, const Json& body) {
  const Json* biases = find_member(body, "logit_bias");
  if (biases == nullptr) return {};
  const int vocabulary = llama_vocab_n_tokens(model.vocab());
  for (const auto& bias : biases->items()) {
    if (std::stoi(bias.key()) < vocabulary) continue;
    return fail(
        ErrorCode::kInvalidRequest,
        "'logit_bias' has a token id that is not below " + std::to_string(vocabulary) + ", the vocabulary's size",
        "logit_bias");
  }
  return {};
}

// The library would choose one that nobody sees: then no receipt could say how the text was sampled.
std::uint32_t draw_seed() {
  ByteArray<4> bytes;
  crypto::fill_random(bytes);
  const std::uint32_t seed = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | std::uint32_t{bytes[3]} << 24;
  return seed == LLAMA_DEFAULT_SEED ? 0 : seed;
}

std::vector<server_tokens> tokenize(const LoadedModel& model, const common_json& prompt) {
  return tokenize_input_prompts(model.vocab(), /*mctx=*/nullptr, prompt, /*add_special=*/true, /*parse_special=*/true,
                                {});
}

// Members of a Responses request that its reply repeats.
Json echoed_members(Route route, const Json& body) {
  Json echoed = Json::object();
  if (route != Route::kResponses) return echoed;
  for (const char* name : {"tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p"}) {
    if (const Json* value = find_member(body, name)) echoed[name] = *value;
  }
  return echoed;
}

Result<PreparedReply> prepare(LoadedModel& model, Route route, bool stream, const Json& body,
                              const RequestFields& fields) {
  TRY_VOID(check_text(model, body));
  // Each choice takes a sequence for as long as the request lasts: a request never gets the last quarter of them.
  const int parallel = model.params().n_parallel, most_choices = parallel < 4 ? parallel : parallel - parallel / 4;
  if (fields.choices > most_choices) {
    return fail(ErrorCode::kInvalidRequest,
                "'n' must be at most " + std::to_string(most_choices) + " here, got " + std::to_string(fields.choices),
                "n");
  }
  TRY_VOID(check_biases(model, body));
  TRY(formatted, format_request(model, route, body));
  common_json sampling = to_llama(sampling_members(route, body, fields));
  // The template may have added stop strings of its own.
  for (const common_json& stop : formatted.data.value("stop", common_json::array())) sampling["stop"].push_back(stop);
  for (const auto& member : sampling.items()) formatted.data[member.key()] = member.value();

  common_chat_msg_delimiters delimiters =
      common_chat_msg_delimiters_parse(formatted.data.value("message_delimiters", common_json::array()));
  delimiters.tokenize(model.vocab());
  task_params params =
      server_schema::eval_llama_cmpl_schema(model.vocab(), model.params(), model.meta().logit_bias_eog, formatted.data);
  params.stream = stream;
  params.res_type = TASK_RESPONSE_TYPE_OAI_CHAT;
  if (params.sampling.seed == LLAMA_DEFAULT_SEED) params.sampling.seed = draw_seed();

  PreparedReply out;
  for (server_tokens& tokens : tokenize(model, formatted.data.at("prompt"))) {
    TRY_VOID(check_tokens(model, tokens));
    out.prompt_tokens += tokens.size();
    server_task task(SERVER_TASK_TYPE_COMPLETION);
    task.id = model.tasks().get_new_id();
    task.index = static_cast<std::size_t>(out.choices++);
    task.params = params;
    task.params.message_spans = tokens.find_message_spans(delimiters);
    task.tokens = std::move(tokens);
    for (int child = 1; child < fields.choices; ++child) {
      task.add_child(task.id, model.tasks().get_new_id());
      task.child_tasks.back().index = static_cast<std::size_t>(out.choices++);
    }
    out.tasks.push_back(std::move(task));
  }
  out.plain = formatted.plain;
  out.stream = stream;
  out.top_logprobs = fields.top_logprobs.value_or(-1);
  out.stop = fields.stop;
  out.echoed = echoed_members(route, body);
  out.sampling = sampling_record(params, find_member(body, "seed"));
  return out;
}

}  // namespace

Result<void> check_shape(const Json& body) { return check_members(body, ""); }

Error invalid_request(std::string_view what) {
  std::string text(what.substr(0, kMaxMessageBytes));
  if (what.size() > kMaxMessageBytes) text += "...";
  return fail(ErrorCode::kInvalidRequest, std::move(text));
}

Result<PreparedReply> prepare_reply(LoadedModel& model, Route route, bool stream, const Json& body,
                                    const RequestFields& fields) {
  try {
    return prepare(model, route, stream, body, fields);
  } catch (const std::exception& e) {
    return invalid_request(e.what());
  }
}

Result<std::vector<std::int32_t>> tokenize_request(LoadedModel& model, Route route, const Json& body) {
  TRY_VOID(check_text(model, body));
  try {
    if (route == Route::kTokenize && find_member(body, "messages") == nullptr) {
      return common_tokenize(model.vocab(), body["prompt"].get<std::string>(), /*add_special=*/true,
                             /*parse_special=*/true);
    }
    TRY(formatted, format_chat(model, route == Route::kTokenize ? Route::kChatCompletions : Route::kMessages, body));
    return common_tokenize(model.vocab(), formatted.data.at("prompt").get<std::string>(), /*add_special=*/true,
                           /*parse_special=*/true);
  } catch (const std::exception& e) {
    return invalid_request(e.what());
  }
}

Result<std::vector<std::vector<std::int32_t>>> tokenize_inputs(LoadedModel& model, const Json& body) {
  try {
    std::vector<std::vector<std::int32_t>> inputs;
    for (const Json& input : body["input"].is_array() ? body["input"] : Json::array({body["input"]})) {
      TRY_VOID(check_text(model, {{"input", input}}));
    }
    for (server_tokens& tokens : tokenize(model, to_llama(body["input"]))) {
      TRY_VOID(check_tokens(model, tokens));
      inputs.push_back(tokens.get_tokens());
    }
    return inputs;
  } catch (const std::exception& e) {
    return invalid_request(e.what());
  }
}

}  // namespace cloister::engine::llama
