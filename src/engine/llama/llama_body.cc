#include "engine/llama/llama_body.h"
#include "engine/dialect/members.h"

#include <algorithm>
#include <cstdint>

namespace cloister::engine::llama {
namespace {

constexpr const char* kSampling[] = {"temperature",       "top_p",      "min_p",     "typical_p", "presence_penalty",
                                     "frequency_penalty", "logit_bias", "ignore_eos"};
constexpr const char* kChatMembers[] = {"messages",         "response_format",       "chat_template_kwargs",
                                        "reasoning_effort", "add_generation_prompt", "continue_final_message"};
constexpr const char* kResponsesMembers[] = {"input", "instructions", "reasoning"};
constexpr const char* kMessagesMembers[] = {"messages", "system", "thinking", "chat_template_kwargs"};
// OpenAI's default for completions; chats continue until the model ends them.
constexpr int kDefaultCompletionTokens = 16;
// For llama.cpp this seed means "choose one".
constexpr std::uint32_t kRandomSeed = 0xffffffff;

template <std::size_t N>
void copy_members(const char* const (&names)[N], const Json& from, Json& to) {
  for (const char* name : names) {
    if (const Json* value = find_member(from, name)) to[name] = *value;
  }
}

std::uint32_t fold_seed(const Json& seed) {
  std::uint64_t wide = 0;
  if (seed.is_number_float()) {
    wide = static_cast<std::uint64_t>(static_cast<std::int64_t>(std::clamp(seed.get<double>(), -9e18, 9e18)));
  } else {
    wide = seed.is_number_unsigned() ? seed.get<std::uint64_t>() : static_cast<std::uint64_t>(seed.get<std::int64_t>());
  }
  auto folded = static_cast<std::uint32_t>(wide ^ (wide >> 32));
  return folded == kRandomSeed ? 0 : folded;
}

std::string tool_name(Route route, const Json& tool) {
  const Json* holder = route == Route::kChatCompletions ? find_member(tool, "function") : &tool;
  return holder == nullptr ? std::string() : text_member(*holder, "name");
}

// The function that must be called, when the request names one.
std::string named_tool(Route route, const Json& body) {
  const Json* choice = find_member(body, "tool_choice");
  if (choice == nullptr || !choice->is_object()) return {};
  if (route == Route::kMessages && text_member(*choice, "type") != "tool") return {};
  return tool_name(route, *choice);
}

bool refuses_tools(const Json& body) {
  const Json* choice = find_member(body, "tool_choice");
  if (choice == nullptr) return false;
  return choice->is_string() ? *choice == "none" : text_member(*choice, "type") == "none";
}

bool offers_tools(const Json& body) {
  const Json* tools = find_member(body, "tools");
  return tools != nullptr && !tools->empty() && !refuses_tools(body);
}

void copy_tools(Route route, const Json& body, Json& out) {
  if (!offers_tools(body)) return;
  std::string named = named_tool(route, body);
  Json tools = Json::array();
  for (const Json& tool : *find_member(body, "tools")) {
    if (named.empty() || tool_name(route, tool) == named) tools.push_back(tool);
  }
  out["tools"] = std::move(tools);
  // Anthropic's converter wants an object, the chat form a word.
  bool demands = demands_tool(route, body);
  if (route == Route::kMessages) {
    out["tool_choice"] = {{"type", demands ? "any" : "auto"}};
  } else {
    out["tool_choice"] = demands ? "required" : "auto";
  }
  if (const Json* parallel = find_member(body, "parallel_tool_calls")) out["parallel_tool_calls"] = *parallel;
}

// Responses has "text": {"format": {...}} and Messages "output_config" where chat has "response_format".
void copy_text_format(const Json& body, const char* holder, Json& out) {
  const Json* text = find_member(body, holder);
  const Json* format = text == nullptr ? nullptr : find_member(*text, "format");
  if (format == nullptr && std::string_view(holder) == "output_config") format = find_member(body, "output_format");
  if (format == nullptr || !format->is_object()) return;
  std::string type = text_member(*format, "type");
  const Json* schema = find_member(*format, "schema");
  if (type == "json_schema" && schema != nullptr) {
    Json wrapper = {{"schema", *schema}};
    if (const Json* strict = find_member(*format, "strict")) wrapper["strict"] = *strict;
    out["response_format"] = {{"type", type}, {"json_schema", std::move(wrapper)}};
  } else if (type == "json_object") {
    out["response_format"] = {{"type", type}};
  }
}

bool mentions_tool_use(const Json& message) {
  if (find_member(message, "tool_calls") != nullptr || text_member(message, "role") == "tool") return true;
  std::string type = text_member(message, "type");
  if (type == "function_call" || type == "function_call_output") return true;
  const Json* content = find_member(message, "content");
  return content != nullptr && content->is_array() &&
         std::any_of(content->begin(), content->end(), [](const Json& part) {
           std::string part_type = text_member(part, "type");
           return part_type == "tool_use" || part_type == "tool_result";
         });
}

}  // namespace

Json sampling_members(Route route, const Json& body, const RequestFields& fields) {
  Json out = Json::object();
  copy_members(kSampling, body, out);
  if (const Json* penalty = find_member(body, "repetition_penalty")) out["repeat_penalty"] = *penalty;
  if (const Json* top_k = find_member(body, "top_k")) out["top_k"] = std::max(0, top_k->get<int>());
  if (const Json* seed = find_member(body, "seed")) out["seed"] = fold_seed(*seed);
  if (fields.max_tokens) {
    out["n_predict"] = *fields.max_tokens;
  } else if (route == Route::kCompletions) {
    out["n_predict"] = kDefaultCompletionTokens;
  }
  out["n_cmpl"] = fields.choices;
  out["stop"] = fields.stop;
  if (fields.top_logprobs) out["n_probs"] = std::max(1, *fields.top_logprobs);
  return out;
}

Json conversation_members(Route route, const Json& body) {
  Json out = Json::object();
  if (route == Route::kResponses) {
    copy_members(kResponsesMembers, body, out);
    copy_text_format(body, "text", out);
  } else if (route == Route::kMessages) {
    copy_members(kMessagesMembers, body, out);
    copy_text_format(body, "output_config", out);
  } else {
    copy_members(kChatMembers, body, out);
  }
  copy_tools(route, body, out);
  return out;
}

bool uses_tools(Route route, const Json& body) {
  if (offers_tools(body)) return true;
  const Json* messages = find_member(body, route == Route::kResponses ? "input" : "messages");
  return messages != nullptr && messages->is_array() &&
         std::any_of(messages->begin(), messages->end(), mentions_tool_use);
}

bool demands_tool(Route route, const Json& body) {
  const Json* choice = find_member(body, "tool_choice");
  if (choice == nullptr || !offers_tools(body)) return false;
  if (choice->is_string()) return *choice == "required";
  return route != Route::kMessages || text_member(*choice, "type") == "any" || text_member(*choice, "type") == "tool";
}

}  // namespace cloister::engine::llama
