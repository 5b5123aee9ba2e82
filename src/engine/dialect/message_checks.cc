#include "engine/dialect/message_checks.h"

#include <algorithm>
#include <array>

#include "engine/dialect/members.h"

namespace cloister::engine {
namespace {

constexpr std::array<std::string_view, 6> kRoles = {"system", "developer", "user", "assistant", "tool", "function"};
constexpr std::array<std::string_view, 9> kMediaParts = {
    "image_url", "input_image", "image", "input_audio", "input_video", "video_url", "input_file", "file", "document"};
constexpr std::size_t kMaxInputs = 2048;
constexpr std::size_t kMaxMessages = 4096;
constexpr std::size_t kMaxTools = 128;

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string role_list(Route route) {
  if (is_messages_form(route)) return "user, assistant, system";
  std::string list;
  for (std::string_view role : kRoles) list.append(list.empty() ? "" : ", ").append(role);
  return list;
}

Error invalid(std::string message, std::string param) {
  return fail(ErrorCode::kInvalidRequest, std::move(message), std::move(param));
}

// Parts may be nested one level deep: the content of a tool result.
Result<void> check_parts(const Json& parts, const std::string& where) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Json& part = parts[i];
    std::string here = where + "[" + std::to_string(i) + "]";
    if (!part.is_object()) return invalid("'" + here + "' must be an object", here);
    std::string type = text_member(part, "type");
    if (contains(kMediaParts, type)) {
      return fail(ErrorCode::kUnsupported, "'" + here + "' is of type " + type + ": this model takes text only", here);
    }
    const Json* text = find_member(part, "text");
    if (text != nullptr && !text->is_string()) return invalid("'" + here + ".text' must be a string", here);
    if (type == "text" && text == nullptr) return invalid("'" + here + "' has no 'text'", here);
    const Json* inner = find_member(part, "content");
    if (inner != nullptr && inner->is_array()) TRY_VOID(check_parts(*inner, here + ".content"));
  }
  return {};
}

Result<void> check_content(const Json& message, const std::string& where) {
  const Json* content = find_member(message, "content");
  if (content == nullptr || content->is_string()) return {};
  if (!content->is_array())
    return invalid("'" + where + ".content' must be a string or an array of parts", where + ".content");
  if (content->empty()) return invalid("'" + where + ".content' is an empty array", where + ".content");
  return check_parts(*content, where + ".content");
}

// Checks tool calls of an earlier reply that are sent back: templates read their names and arguments.
Result<void> check_past_calls(const Json* calls, const std::string& where) {
  if (calls == nullptr) return {};
  if (!calls->is_array()) return invalid("'" + where + ".tool_calls' must be an array", where);
  for (const Json& call : *calls) {
    const Json* function = find_member(call, "function");
    const Json* arguments = function == nullptr ? nullptr : find_member(*function, "arguments");
    if (arguments == nullptr || !arguments->is_string() || text_member(*function, "name").empty()) {
      return invalid("'" + where + ".tool_calls' must hold functions with a name and their arguments as a string",
                     where);
    }
  }
  return {};
}

Result<void> check_messages(Route route, const Json& body) {
  const Json* messages = find_member(body, "messages");
  if (messages == nullptr) return invalid("'messages' is required", "messages");
  if (!messages->is_array() || messages->empty()) return invalid("'messages' must be a non-empty array", "messages");
  if (messages->size() > kMaxMessages) {
    return invalid("'messages' may hold at most " + std::to_string(kMaxMessages) + " items, got " +
                       std::to_string(messages->size()),
                   "messages");
  }
  for (std::size_t i = 0; i < messages->size(); ++i) {
    const Json& message = (*messages)[i];
    std::string where = "messages[" + std::to_string(i) + "]";
    if (!message.is_object()) return invalid("'" + where + "' must be an object", where);
    std::string role = text_member(message, "role");
    if (!contains(kRoles, role) ||
        (is_messages_form(route) && role != "user" && role != "assistant" && role != "system")) {
      return invalid("'" + where + ".role' must be one of: " + role_list(route), where + ".role");
    }
    TRY_VOID(check_content(message, where));
    const Json* calls = find_member(message, "tool_calls");
    TRY_VOID(check_past_calls(calls, where));
    if (role == "tool" && text_member(message, "tool_call_id").empty()) {
      return invalid("'" + where + ".tool_call_id' must be a non-empty string", where + ".tool_call_id");
    }
    bool has_calls = calls != nullptr && !calls->empty();
    if (find_member(message, "content") == nullptr && !(role == "assistant" && has_calls)) {
      return invalid("'" + where + ".content' is required", where + ".content");
    }
  }
  return {};
}

bool is_token_list(const Json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& token) {
           return token.is_number_integer() && token >= 0 && token <= 0x7fffffff;
         });
}

// Accepts a string, a list of strings, a list of token ids, or a list of such lists.
Result<void> check_text_or_tokens(const Json& body, const char* name) {
  const Json* value = find_member(body, name);
  if (value == nullptr) return invalid("'" + std::string(name) + "' is required", name);
  auto single = [](const Json& item) {
    return (item.is_string() && !item.get_ref<const std::string&>().empty()) || is_token_list(item);
  };
  bool many = value->is_array() && !value->empty() && std::all_of(value->begin(), value->end(), single);
  if (!single(*value) && !many) {
    return invalid(
        "'" + std::string(name) + "' must be a non-empty string, a list of such strings, or lists of token ids", name);
  }
  if (many && value->size() > kMaxInputs) {
    return invalid("'" + std::string(name) + "' may hold at most " + std::to_string(kMaxInputs) + " items, got " +
                       std::to_string(value->size()),
                   name);
  }
  return {};
}

Result<void> check_responses_input(const Json& body) {
  const Json* input = find_member(body, "input");
  if (input == nullptr) return invalid("'input' is required", "input");
  if (input->is_string()) return {};
  if (!input->is_array() || input->empty()) return invalid("'input' must be a string or a non-empty array", "input");
  for (std::size_t i = 0; i < input->size(); ++i) {
    std::string where = "input[" + std::to_string(i) + "]";
    if (!(*input)[i].is_object()) return invalid("'" + where + "' must be an object", where);
    TRY_VOID(check_content((*input)[i], where));
    const Json* output = find_member((*input)[i], "output");
    if (output != nullptr && output->is_array()) TRY_VOID(check_parts(*output, where + ".output"));
  }
  return {};
}

Result<void> check_tokenize(const Json& body) {
  if (find_member(body, "messages") != nullptr) return check_messages(Route::kTokenize, body);
  const Json* prompt = find_member(body, "prompt");
  if (prompt == nullptr || !prompt->is_string())
    return invalid("'prompt' must be a string, or give 'messages'", "prompt");
  return {};
}

Result<void> check_embeddings(const Json& body) {
  TRY_VOID(check_text_or_tokens(body, "input"));
  std::string format = find_member(body, "encoding_format") == nullptr ? "float" : text_member(body, "encoding_format");
  if (format != "float" && format != "base64") {
    return invalid("'encoding_format' must be float or base64", "encoding_format");
  }
  return {};
}

// The function's name, wherever the dialect has it; empty when there is none.
std::string tool_name(Route route, const Json& tool) {
  if (route != Route::kChatCompletions) return text_member(tool, "name");
  const Json* function = find_member(tool, "function");
  return function == nullptr ? std::string() : text_member(*function, "name");
}

Result<void> check_tool_choice(Route route, const Json& body) {
  const Json* choice = find_member(body, "tool_choice");
  if (choice == nullptr) return {};
  if (choice->is_string()) {
    const std::string& word = choice->get_ref<const std::string&>();
    const Json* offered = find_member(body, "tools");
    if (word == "required" && (offered == nullptr || offered->empty())) {
      return invalid("'tool_choice' is required, but 'tools' offers nothing", "tool_choice");
    }
    if (!is_messages_form(route) && (word == "auto" || word == "none" || word == "required")) return {};
    return invalid("'tool_choice' must be one of: auto, none, required; or an object that names a function",
                   "tool_choice");
  }
  if (!choice->is_object()) return invalid("'tool_choice' must be a string or an object", "tool_choice");
  if (is_messages_form(route) && text_member(*choice, "type") != "tool") return {};
  std::string name = tool_name(route, *choice);
  const Json* tools = find_member(body, "tools");
  bool known = tools != nullptr && std::any_of(tools->begin(), tools->end(),
                                               [&](const Json& tool) { return tool_name(route, tool) == name; });
  if (!known) return invalid("'tool_choice' names a function that 'tools' does not have", "tool_choice");
  return {};
}

}  // namespace

Result<void> check_input(Route route, const Json& body) {
  switch (route) {
    case Route::kChatCompletions:
    case Route::kMessages:
    case Route::kCountTokens: return check_messages(route, body);
    case Route::kCompletions: return check_text_or_tokens(body, "prompt");
    case Route::kEmbeddings: return check_embeddings(body);
    case Route::kResponses: return check_responses_input(body);
    case Route::kTokenize: return check_tokenize(body);
    default: return {};
  }
}

Result<void> check_tools(Route route, const Json& body) {
  if (route != Route::kChatCompletions && route != Route::kResponses && !is_messages_form(route)) return {};
  if (const Json* tools = find_member(body, "tools")) {
    if (!tools->is_array()) return invalid("'tools' must be an array", "tools");
    if (tools->size() > kMaxTools) {
      return invalid(
          "'tools' may hold at most " + std::to_string(kMaxTools) + " items, got " + std::to_string(tools->size()),
          "tools");
    }
    for (std::size_t i = 0; i < tools->size(); ++i) {
      std::string where = "tools[" + std::to_string(i) + "]";
      const Json& tool = (*tools)[i];
      if (!tool.is_object()) return invalid("'" + where + "' must be an object", where);
      std::string type = text_member(tool, "type");
      bool function = type == "function" || (is_messages_form(route) && (type.empty() || type == "custom"));
      if (!function)
        return fail(ErrorCode::kUnsupported, "'" + where + "' is not a function, the only kind of tool here", where);
      if (tool_name(route, tool).empty()) return invalid("'" + where + "' has no function name", where);
    }
  }
  return check_tool_choice(route, body);
}

}  // namespace cloister::engine
