#include "engine/dialect/request_schemas.h"

#include "engine/dialect/members.h"
#include "engine/dialect/request_fields.h"
#include "engine/dialect/schema_rules.h"

namespace cloister::engine {
namespace {

bool says(const Json& object, const char* name, bool value) {
  const Json* found = find_member(object, name);
  return found != nullptr && *found == Json(value);
}

// The client's own name for the place of the format.
std::string format_name(Route route) {
  if (route == Route::kResponses) return "text.format.schema";
  if (route == Route::kMessages) return "output_config.format.schema";
  return "response_format.json_schema.schema";
}

Result<bool> apply_to_format(Route route, Json& conversation, SchemaRules& rules) {
  const auto found = conversation.find("response_format");
  if (found == conversation.end() || !found->is_object()) return false;
  const std::string type = text_member(*found, "type");
  if (type == "json_object") {
    const auto schema = found->find("schema");
    if (schema != found->end() && schema->is_object()) TRY_VOID(rules.apply(*schema, "response_format.schema", true));
    return true;
  }
  if (type != "json_schema") return false;
  Json& wrapper = (*found)["json_schema"];
  TRY_VOID(rules.apply(wrapper["schema"], format_name(route), !says(wrapper, "strict", false)));
  return true;
}

}  // namespace

Result<RequestSchemas> apply_schema_rules(Route route, Json& conversation) {
  SchemaRules rules;
  RequestSchemas out;
  TRY(constrains, apply_to_format(route, conversation, rules));
  out.constrains_reply = constrains;
  const auto tools = conversation.find("tools");
  if (tools == conversation.end() || !tools->is_array()) return out;
  const Json* choice = find_member(conversation, "tool_choice");
  const bool demanded = choice != nullptr && (*choice == "required" || text_member(*choice, "type") == "any");
  if (constrains && demanded) {
    return fail(ErrorCode::kUnsupported,
                "the reply cannot be both of a format and a call of a function that is demanded", "tool_choice");
  }
  const bool nested = route != Route::kResponses && route != Route::kMessages;
  const char* parameters = route == Route::kMessages ? "input_schema" : "parameters";
  for (std::size_t i = 0; i < tools->size(); ++i) {
    Json& tool = (*tools)[i];
    if (!tool.is_object() || (nested && find_member(tool, "function") == nullptr)) continue;
    Json& function = nested ? tool["function"] : tool;
    const bool strict = says(function, "strict", true);
    if (strict) out.strict_tools.push_back(text_member(function, "name"));
    const auto schema = function.find(parameters);
    if (schema == function.end() || !schema->is_object()) continue;
    const std::string where = "tools[" + std::to_string(i) + "]" + (nested ? ".function." : ".") + parameters;
    TRY_VOID(rules.apply(*schema, where, strict));
  }
  return out;
}

}  // namespace cloister::engine
