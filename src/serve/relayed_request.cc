#include "serve/relayed_request.h"

#include <algorithm>

#include "api/asked_protection.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "codec/json_members.h"

namespace cloister::serve {
namespace {

constexpr std::string_view kModel = "model";

bool same_but_for_case(std::string_view name, std::string_view lower_case) {
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
}

// Returns the model's name as a text that a receipt can hold.
Result<std::optional<std::string>> model_in(std::string_view value) {
  const Result<Json> model = codec::parse_json(value);
  if (model && model->is_null()) return std::optional<std::string>();
  if (!model || !model->is_string() || !codec::write_jcs(*model)) {
    return fail(ErrorCode::kInvalidRequest, "'model' must be a string", "model");
  }
  auto text = model->get<std::string>();
  // As for the engines of this node, an empty name means none.
  return text.empty() ? std::optional<std::string>() : std::optional(std::move(text));
}

}  // namespace

Result<RelayedRequest> read_relayed_request(std::string_view body) {
  TRY(members, codec::read_members(body));
  RelayedRequest request;
  request.protections = Json::object();
  for (const codec::JsonMember& member : members) {
    if (member.name == kModel) {
      TRY(model, model_in(member.value));
      request.model = std::move(model);
    } else if (same_but_for_case(member.name, kModel)) {
      return fail(ErrorCode::kInvalidRequest, "'" + member.name + "' must be written as 'model'", member.name);
    } else if (api::asks_for_protection(member.name)) {
      TRY(value, codec::parse_json(member.value));
      request.protections[member.name] = std::move(value);
    }
  }
  return request;
}

}  // namespace cloister::serve
