#include "engine/dialect/request_forms.h"

#include <algorithm>

#include "codec/json.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_fields.h"

namespace cloister::engine {
namespace {

Json* array_in(Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || !found->is_array() ? nullptr : &*found;
}

void erase_nulls(Json& object) {
  if (!object.is_object()) return;
  for (auto member = object.begin(); member != object.end();) {
    member = member->is_null() ? object.erase(member) : std::next(member);
  }
}

// Templates parse the arguments of a past call as JSON. Text that is cut or blank holds nothing that they could read.
void unify_arguments(Json& holder) {
  if (!holder.is_object()) return;
  const auto arguments = holder.find("arguments");
  if (arguments == holder.end() || !arguments->is_string()) return;
  if (!codec::parse_json(arguments->get_ref<const std::string&>()).has_value()) *arguments = "{}";
}

void unify_tools(Route route, Json& body) {
  Json* tools = array_in(body, "tools");
  if (tools == nullptr) return;
  for (Json& tool : *tools) {
    erase_nulls(tool);
    if (route == Route::kChatCompletions && tool.is_object() && tool.contains("function"))
      erase_nulls(tool["function"]);
  }
  if (route != Route::kResponses) return;
  std::erase_if(tools->get_ref<Json::array_t&>(), [](const Json& tool) {
    const std::string type = text_member(tool, "type");
    return !type.empty() && type != "function";
  });
}

bool is_assistant(const Json& message) { return text_member(message, "role") == "assistant"; }

// The parts of a content: a text is one part.
Json parts_of(const Json& message) {
  const Json* content = find_member(message, "content");
  if (content == nullptr) return Json::array();
  if (content->is_array()) return *content;
  return Json::array({{{"type", "text"}, {"text", *content}}});
}

// OpenAI's servers treat several assistant messages in a row as one turn.
void join(Json& first, const Json& second) {
  const Json* before = find_member(first, "content");
  const Json* after = find_member(second, "content");
  if (before != nullptr && after != nullptr && before->is_string() && after->is_string()) {
    first["content"] = before->get<std::string>() + "\n" + after->get<std::string>();
  } else if (after != nullptr) {
    Json parts = parts_of(first);
    const Json more = parts_of(second);
    parts.insert(parts.end(), more.begin(), more.end());
    first["content"] = std::move(parts);
  }
  const Json* calls = find_member(second, "tool_calls");
  if (calls == nullptr || !calls->is_array()) return;
  Json* earlier = array_in(first, "tool_calls");
  if (earlier == nullptr) {
    first["tool_calls"] = *calls;
  } else {
    earlier->insert(earlier->end(), calls->begin(), calls->end());
  }
}

void unify_chat_history(Json& body) {
  Json* messages = array_in(body, "messages");
  if (messages == nullptr) return;
  for (Json& message : *messages) {
    if (!message.is_object() || !is_assistant(message)) continue;
    if (Json* calls = array_in(message, "tool_calls")) {
      for (Json& call : *calls) {
        if (call.is_object() && call.contains("function")) unify_arguments(call["function"]);
      }
    }
    if (const Json* refusal = find_member(message, "refusal");
        refusal != nullptr && refusal->is_string() && find_member(message, "content") == nullptr) {
      message["content"] = *refusal;
    }
  }
  while (messages->size() > 1 && is_assistant(messages->back()) && is_assistant((*messages)[messages->size() - 2])) {
    const Json last = std::move(messages->back());
    messages->erase(messages->size() - 1);
    join(messages->back(), last);
  }
}

// The text of a reasoning item's content or summary, which are parts with a text.
std::string reasoning_text(const Json& item) {
  for (const char* name : {"content", "summary"}) {
    const Json* parts = find_member(item, name);
    if (parts == nullptr) continue;
    if (std::string text = content_text(*parts); !text.empty()) return text;
  }
  return {};
}

void unify_response_items(Json& body) {
  Json* input = array_in(body, "input");
  if (input == nullptr) return;
  auto& items = input->get_ref<Json::array_t&>();
  std::erase_if(
      items, [](const Json& item) { return text_member(item, "type") == "reasoning" && reasoning_text(item).empty(); });
  for (Json& item : items) {
    if (!item.is_object()) continue;
    const std::string type = text_member(item, "type");
    if (type.empty() && !text_member(item, "role").empty()) item["type"] = "message";
    if (type == "function_call") unify_arguments(item);
    if (type == "reasoning") {
      item["content"] = Json::array({{{"type", "reasoning_text"}, {"text", reasoning_text(item)}}});
      item["summary"] = Json::array();
    }
  }
}

}  // namespace

void unify_request(Route route, Json& body) {
  if (!body.is_object()) return;
  switch (route) {
    case Route::kChatCompletions:
    case Route::kTokenize: unify_chat_history(body); break;
    case Route::kResponses: unify_response_items(body); break;
    case Route::kMessages:
    case Route::kCountTokens: break;
    default: return;
  }
  unify_tools(route, body);
}

bool join_system_messages(Json& body) {
  Json* messages = array_in(body, "messages");
  if (messages == nullptr) return false;
  Json system = Json::array();
  const Json* prompt = find_member(body, "system");
  if (prompt != nullptr && prompt->is_string()) system.push_back({{"type", "text"}, {"text", *prompt}});
  if (prompt != nullptr && prompt->is_array()) system = *prompt;
  const std::size_t before = messages->size();
  std::erase_if(messages->get_ref<Json::array_t&>(), [&](const Json& message) {
    if (text_member(message, "role") != "system") return false;
    const Json* content = find_member(message, "content");
    if (content != nullptr)
      system.push_back({{"type", "text"}, {"text", (system.empty() ? "" : "\n\n") + content_text(*content)}});
    return true;
  });
  if (messages->size() == before) return false;
  body["system"] = std::move(system);
  return true;
}

}  // namespace cloister::engine
