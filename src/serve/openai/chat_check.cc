#include "serve/openai/chat_check.h"

#include <algorithm>

#include "serve/openai/parameter.h"

namespace cloister::serve {
namespace {

constexpr std::size_t kMaxMessages = 4096;
constexpr std::size_t kMaxTools = 128;

std::string at(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

Result<void> check_part(const Json& part, const std::string& where) {
  const Json* type = part.is_object() ? present(part, "type") : nullptr;
  if (type == nullptr || !type->is_string()) {
    return invalid_parameter(where, where + " must be an object with a string 'type'");
  }
  const auto& word = type->get_ref<const std::string&>();
  if (word == "text" || word == "refusal") {
    const Json* text = present(part, word);
    if (text == nullptr || !text->is_string()) {
      return invalid_parameter(where, where + "." + word + " must be a string");
    }
    return {};
  }
  if (word == "image_url" || word == "input_audio" || word == "file" || word == "video_url") {
    return fail(ErrorCode::kUnsupported, "this model takes text only; " + where + " is of type '" + word + "'", where);
  }
  return invalid_parameter(where, where + " has an unknown type; expected 'text'");
}

Result<void> check_content(const Json& message, const std::string& where, bool may_be_absent) {
  const Json* content = present(message, "content");
  if (content == nullptr) {
    if (may_be_absent) return {};
    return invalid_parameter(where + ".content", where + ".content is required");
  }
  if (content->is_string()) return {};
  if (!content->is_array()) {
    return invalid_parameter(where + ".content", where + ".content must be a string or an array of parts, got " +
                                                     std::string(type_name(*content)));
  }
  if (content->empty()) return invalid_parameter(where + ".content", where + ".content is an empty array");
  for (std::size_t i = 0; i < content->size(); ++i) TRY_VOID(check_part((*content)[i], at(where + ".content", i)));
  return {};
}

Result<void> check_tool_calls(const Json& message, const std::string& where) {
  const Json* calls = present(message, "tool_calls");
  if (calls == nullptr) return {};
  if (!calls->is_array()) return invalid_parameter(where + ".tool_calls", where + ".tool_calls must be an array");
  for (std::size_t i = 0; i < calls->size(); ++i) {
    const Json& call = (*calls)[i];
    std::string here = at(where + ".tool_calls", i);
    const Json* function = call.is_object() ? present(call, "function") : nullptr;
    bool good = function != nullptr && function->is_object() && present(*function, "name") != nullptr &&
                (*function)["name"].is_string();
    if (!good) return invalid_parameter(here, here + ".function.name must be a string");
    const Json* arguments = present(*function, "arguments");
    if (arguments == nullptr || !arguments->is_string()) {
      return invalid_parameter(here, here + ".function.arguments must be a string that holds JSON");
    }
  }
  return {};
}

Result<void> check_message(const Json& message, const std::string& where) {
  if (!message.is_object()) {
    return invalid_parameter(where, where + " must be an object, got " + std::string(type_name(message)));
  }
  const Json* role = present(message, "role");
  constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool", "function"};
  bool known = role != nullptr && role->is_string() &&
               std::ranges::find(kRoles, role->get_ref<const std::string&>()) != std::end(kRoles);
  if (!known) {
    return invalid_parameter(where + ".role",
                             where + ".role must be one of: system, developer, user, assistant, tool, function");
  }
  TRY_VOID(check_tool_calls(message, where));
  bool assistant_call = *role == "assistant" && (present(message, "tool_calls") != nullptr ||
                                                 present(message, "function_call") != nullptr ||
                                                 present(message, "refusal") != nullptr);
  TRY_VOID(check_content(message, where, assistant_call));
  if (*role == "tool") {
    const Json* id = present(message, "tool_call_id");
    if (id == nullptr || !id->is_string()) {
      return invalid_parameter(where + ".tool_call_id", where + ".tool_call_id must be a string");
    }
  }
  return {};
}

}  // namespace

Result<void> check_messages(const Json& body) {
  const Json* messages = present(body, "messages");
  if (messages == nullptr) return invalid_parameter("messages", "'messages' is required");
  TRY_VOID(want_array(body, "messages"));
  if (messages->empty()) return invalid_parameter("messages", "'messages' is empty; at least one message is required");
  if (messages->size() > kMaxMessages) {
    return invalid_parameter("messages", "'messages' has " + std::to_string(messages->size()) +
                                             " entries; the limit is " + std::to_string(kMaxMessages));
  }
  for (std::size_t i = 0; i < messages->size(); ++i) TRY_VOID(check_message((*messages)[i], at("messages", i)));
  return {};
}

Result<void> check_tools(const Json& body) {
  TRY_VOID(want_array(body, "tools"));
  TRY_VOID(want_boolean(body, "parallel_tool_calls"));
  const Json* tools = present(body, "tools");
  std::size_t count = tools == nullptr ? 0 : tools->size();
  if (count > kMaxTools) {
    return invalid_parameter("tools", "'tools' has " + std::to_string(count) + " entries; the limit is " +
                                          std::to_string(kMaxTools));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Json& tool = (*tools)[i];
    std::string where = at("tools", i);
    const Json* function = tool.is_object() ? present(tool, "function") : nullptr;
    if (function == nullptr || !function->is_object() || tool.value("type", Json()) != "function") {
      return invalid_parameter(where, where + " must be {\"type\":\"function\",\"function\":{...}}");
    }
    const Json* name = present(*function, "name");
    if (name == nullptr || !name->is_string() || name->get_ref<const std::string&>().empty()) {
      return invalid_parameter(where + ".function.name", where + ".function.name must be a non-empty string");
    }
    const Json* parameters = present(*function, "parameters");
    if (parameters != nullptr && !parameters->is_object()) {
      return invalid_parameter(where + ".function.parameters", where + ".function.parameters must be a JSON schema");
    }
  }
  const Json* choice = present(body, "tool_choice");
  if (choice == nullptr) return {};
  if (choice->is_string()) {
    TRY_VOID(want_one_of(body, "tool_choice", {"none", "auto", "required"}));
  } else {
    const Json* function = choice->is_object() ? present(*choice, "function") : nullptr;
    bool named = function != nullptr && function->is_object() && function->value("name", Json()).is_string();
    if (!named) {
      return invalid_parameter("tool_choice", "'tool_choice' must be none, auto, required or "
                                              "{\"type\":\"function\",\"function\":{\"name\":...}}");
    }
    bool offered = std::ranges::any_of(tools == nullptr ? Json::array() : *tools, [&](const Json& tool) {
      return tool["function"]["name"] == (*function)["name"];
    });
    if (!offered) return invalid_parameter("tool_choice", "'tool_choice' names a function that 'tools' does not offer");
  }
  if (count == 0 && *choice != "none" && *choice != "auto") {
    return invalid_parameter("tool_choice", "'tool_choice' needs 'tools'");
  }
  return {};
}

Result<void> check_response_format(const Json& body) {
  TRY_VOID(want_object(body, "response_format"));
  const Json* format = present(body, "response_format");
  if (format == nullptr) return {};
  const Json* type = present(*format, "type");
  if (type == nullptr || (*type != "text" && *type != "json_object" && *type != "json_schema")) {
    return invalid_parameter("response_format.type",
                             "'response_format.type' must be one of: text, json_object, json_schema");
  }
  if (*type == "json_schema") {
    const Json* schema = present(*format, "json_schema");
    bool good = schema != nullptr && schema->is_object() && present(*schema, "schema") != nullptr &&
                (*schema)["schema"].is_object();
    if (!good) {
      return invalid_parameter("response_format.json_schema", "'response_format.json_schema.schema' must be an object");
    }
  }
  return {};
}

}  // namespace cloister::serve
