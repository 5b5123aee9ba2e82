// What a strict schema may say: only what the grammar of the pinned library follows exactly (its common/json-schema.cpp
// parses the schema, common/json-schema-to-grammar.cpp writes the rules). A keyword that the library ignores is an Error.
#include <algorithm>

#include "engine/dialect/schema_keywords.h"
#include "engine/dialect/schema_pass.h"
#include "engine/dialect/schema_reference.h"
#include "engine/dialect/string_pattern.h"

namespace cloister::engine {
namespace {

constexpr std::size_t kMaxCompared = 64;  // alternatives of oneOf that are compared pairwise
constexpr int kMaxChain = 64;

const Json* member(const Json& node, std::string_view name) {
  const auto found = node.find(std::string(name));
  return found == node.end() ? nullptr : &*found;
}

SchemaPass::Pointer child_of(SchemaPass::Pointer at, std::string_view keyword, std::size_t index) {
  at.emplace_back(keyword);
  at.push_back(std::to_string(index));
  return at;
}

}  // namespace

// {"allOf": [X]} with nothing else that constrains is X.
void SchemaPass::unwrap_all_of() {
  const Json* all = member(*here_, "allOf");
  if (all == nullptr || !all->is_array() || all->size() != 1 || !all->front().is_object()) return;
  for (const auto& item : here_->items()) {
    if (item.key() != "allOf" && !is_annotation(item.key())) return;
  }
  const Json only = all->front();
  here_->erase("allOf");
  for (const auto& item : only.items()) {
    if (!here_->contains(item.key())) (*here_)[item.key()] = item.value();
  }
}

Result<void> SchemaPass::check_siblings(const Pointer& at, std::initializer_list<std::string_view> besides) {
  for (const auto& item : here_->items()) {
    if (is_annotation(item.key()) || std::ranges::find(besides, item.key()) != besides.end()) continue;
    if (item.key() == "$id" && at.empty()) continue;
    return refuse(at, item.key(), "it is left out next to '" + std::string(*besides.begin()) + "'");
  }
  return {};
}

// The types that `type` names; where it is missing, those that the library infers; every type where nothing is stated.
Result<std::uint8_t> SchemaPass::declared_types(const Pointer& at) {
  const Json* type = member(*here_, "type");
  std::uint8_t types = kNoType;
  if (type != nullptr) {
    const Json words = type->is_array() ? *type : Json::array({*type});
    for (const Json& word : words) {
      const std::uint8_t each =
          word.is_string() ? types_of_word(word.get_ref<const std::string&>()) : std::uint8_t{kNoType};
      if (each == kNoType)
        return refuse(at, "type", "it is none of object, array, string, integer, number, boolean, null");
      types |= each;
    }
    return types;
  }
  const auto has = [&](const char* name) { return here_->contains(name); };
  if (has("properties") || (has("additionalProperties") && *member(*here_, "additionalProperties") != Json(true)))
    return std::uint8_t{kObjectType};
  if (has("items") || has("prefixItems")) return std::uint8_t{kArrayType};
  if (has("pattern") || has("minLength") || has("maxLength")) return std::uint8_t{kStringType};
  return std::uint8_t{kEveryType};
}

Result<void> SchemaPass::check_exact(const Pointer& at) {
  if (member(*here_, "oneOf") != nullptr) {
    TRY_VOID(check_siblings(at, {"oneOf"}));
    return check_one_of(at);
  }
  if (member(*here_, "anyOf") != nullptr) return check_siblings(at, {"anyOf"});
  for (const char* keyword : {"const", "enum"}) {
    if (member(*here_, keyword) == nullptr) continue;
    TRY_VOID(check_siblings(at, {keyword, "type"}));
    return check_values(at, keyword);
  }
  TRY(types, declared_types(at));
  std::vector<std::string> keywords;
  for (const auto& item : here_->items()) keywords.push_back(item.key());
  for (const std::string& keyword : keywords) TRY_VOID(check_keyword(at, keyword, types));
  if ((types & kObjectType) != 0) TRY_VOID(check_object(at));
  if ((types & kArrayType) != 0) TRY_VOID(check_array(at));
  if ((types & kStringType) != 0) TRY_VOID(check_string(at));
  return {};
}

// `types`: the types of values that are possible here. A keyword about other types constrains nothing.
Result<void> SchemaPass::check_keyword(const Pointer& at, std::string_view keyword, std::uint8_t types) {
  if (is_annotation(keyword) || keyword == "type" || (keyword == "$id" && at.empty())) return {};
  const std::uint8_t about = constrained_types(keyword) & types;
  if (about == kNoType) return {};
  const Json& value = *member(*here_, keyword);
  constexpr std::string_view kFollowed[] = {
      "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "pattern",
      "minLength",  "maxLength"};
  if (std::ranges::find(kFollowed, keyword) != std::end(kFollowed) && types != kEveryType) return {};
  if (keyword == "format" && types != kEveryType) return {};
  if (keyword == "uniqueItems" && value == Json(false)) return {};
  if ((keyword == "minProperties" || keyword == "minContains") && value == Json(0)) return {};
  if (keyword == "multipleOf" && value == Json(1) && (types & kNumberType) == 0) return {};
  const bool bound =
      keyword == "minimum" || keyword == "maximum" || keyword == "exclusiveMinimum" || keyword == "exclusiveMaximum";
  if (bound && about == kIntegerType) return {};
  if (bound) return refuse(at, keyword, "bounds are enforced for integers only");
  const bool of_a_type = constrained_types(keyword) != kEveryType && types == kEveryType;
  return refuse(at, keyword, of_a_type ? "it needs a 'type' next to it" : "this node does not enforce it");
}

Result<void> SchemaPass::check_object(const Pointer& at) {
  const Json* properties = member(*here_, "properties");
  const Json* required = member(*here_, "required");
  const Json* additional = member(*here_, "additionalProperties");
  if (properties != nullptr && !properties->is_object()) return refuse(at, "properties", "it has to be an object");
  if (required != nullptr) {
    if (!required->is_array()) return refuse(at, "required", "it has to be an array of names");
    for (const Json& name : *required) {
      if (!name.is_string()) return refuse(at, "required", "it has to be an array of names");
      if (properties == nullptr || !properties->contains(name.get_ref<const std::string&>())) {
        return refuse(at, "required", "it names something that 'properties' does not have");
      }
    }
  }
  const bool open = additional != nullptr && *additional != Json(false);
  if (open && properties != nullptr && !properties->empty()) {
    return refuse(at, "additionalProperties", "next to 'properties' it has to be false or missing");
  }
  return {};
}

Result<void> SchemaPass::check_array(const Pointer& at) {
  Json& here = *here_;
  const Json* prefix = member(here, "prefixItems");
  const Json* items = member(here, "items");
  if (prefix != nullptr && !prefix->is_array()) return refuse(at, "prefixItems", "it has to be an array of schemas");
  if (items != nullptr && items->is_boolean() && (*items == Json(true) || prefix == nullptr)) {
    if (*items == Json(false)) return refuse(at, "items", "false stands without 'prefixItems'");
    here.erase("items");
    items = nullptr;
    prefix = member(here, "prefixItems");
  }
  // The list has exactly the items of the prefix, so `items` applies to nothing.
  if (prefix != nullptr && items != nullptr) {
    here.erase("items");
    items = nullptr;
    prefix = member(here, "prefixItems");
  }
  const Json* tuple = prefix != nullptr ? prefix : items != nullptr && items->is_array() ? items : nullptr;
  if (tuple == nullptr) return {};
  const std::size_t size = tuple->size();
  TRY(least, size_member(at, "minItems"));
  TRY(most, size_member(at, "maxItems"));
  if (least && *least > size) return refuse(at, "minItems", "it is larger than the number of items that are described");
  if (most && *most < size) return refuse(at, "maxItems", "it is smaller than the number of items that are described");
  return {};
}

// The library follows only one of pattern, format and length.
Result<void> SchemaPass::check_string(const Pointer& at) {
  Json& here = *here_;
  TRY(least, size_member(at, "minLength"));
  TRY(most, size_member(at, "maxLength"));
  const bool has_pattern = member(here, "pattern") != nullptr;
  const Json* format = member(here, "format");
  if (has_pattern && format != nullptr) return refuse(at, "format", "it is left out next to 'pattern'");
  if (has_pattern || format != nullptr) {
    const std::string other = has_pattern ? "'pattern'" : "'format'";
    if (least.value_or(0) > 0) return refuse(at, "minLength", "it is left out next to " + other);
    if (most) return refuse(at, "maxLength", "it is left out next to " + other);
  }
  if (format != nullptr) {
    const std::string_view pattern =
        format->is_string() ? pattern_of_format(format->get_ref<const std::string&>()) : std::string_view();
    if (pattern.empty()) return refuse(at, "format", "this node enforces date, time, date-time, uuid, ipv4 and email");
    here.erase("format");
    here["pattern"] = pattern;
    return {};
  }
  // The library counts an escaped pair of surrogates, which is one character, as two.
  if (!has_pattern && least.value_or(0) > 1) {
    here.erase("minLength");
    here.erase("maxLength");
    here["pattern"] = "^.{" + std::to_string(*least) + "," + (most ? std::to_string(*most) : "") + "}$";
  }
  return {};
}

Result<void> SchemaPass::check_values(const Pointer& at, std::string_view keyword) {
  const Json& values = *member(*here_, keyword);
  if (keyword == "enum" && (!values.is_array() || values.empty()))
    return refuse(at, keyword, "it has to be an array of values");
  if (member(*here_, "type") == nullptr) return {};
  TRY(types, declared_types(at));
  const auto fits = [&, allowed = types](const Json& value) { return (type_of_value(value) & allowed) != 0; };
  const bool all = keyword == "const" ? fits(values) : std::ranges::all_of(values, fits);
  return all ? Result<void>() : Result<void>(refuse(at, keyword, "a value is not of the type that stands next to it"));
}

// The library treats `oneOf` as `anyOf`, which is the same where no value matches two alternatives.
Result<void> SchemaPass::check_one_of(const Pointer& at) {
  const Json& choices = *member(*here_, "oneOf");
  if (!choices.is_array() || choices.size() > kMaxCompared)
    return refuse(at, "oneOf", "it has to be an array of at most 64 schemas");
  for (std::size_t i = 0; i < choices.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!are_disjoint(child_of(at, "oneOf", i), child_of(at, "oneOf", j))) {
        return refuse(
            at, "oneOf",
            "two alternatives may admit the same value: give them different types, or a required property with "
            "different constants; or say anyOf");
      }
    }
  }
  return {};
}

SchemaPass::Pointer SchemaPass::resolved(Pointer at) {
  for (int i = 0; i < kMaxChain; ++i) {
    const Json* here = node(at);
    const Json* reference = here != nullptr && here->is_object() ? member(*here, "$ref") : nullptr;
    if (reference == nullptr || !reference->is_string()) return at;
    const auto tokens = reference_tokens(reference->get_ref<const std::string&>());
    if (!tokens) return at;
    at = *tokens;
  }
  return at;
}

std::uint8_t SchemaPass::types_at(const Pointer& at) {
  const Json* here = node(resolved(at));
  if (here == nullptr || !here->is_object()) return kEveryType;
  if (const auto values = values_at(at)) {
    std::uint8_t types = kNoType;
    for (const Json& value : *values) types |= type_of_value(value);
    return types;
  }
  const Json* type = member(*here, "type");
  if (type == nullptr || member(*here, "anyOf") != nullptr || member(*here, "oneOf") != nullptr) return kEveryType;
  std::uint8_t types = kNoType;
  for (const Json& word : type->is_array() ? *type : Json::array({*type})) {
    types |= word.is_string() ? types_of_word(word.get_ref<const std::string&>()) : std::uint8_t{kEveryType};
  }
  return types;
}

// Returns all values that a schema admits, where it lists them.
std::optional<std::vector<Json>> SchemaPass::values_at(const Pointer& at) {
  const Json* here = node(resolved(at));
  if (here == nullptr || !here->is_object()) return std::nullopt;
  for (const char* keyword : {"$ref", "anyOf", "oneOf"}) {
    if (member(*here, keyword) != nullptr) return std::nullopt;
  }
  if (const Json* value = member(*here, "const")) return std::vector<Json>{*value};
  const Json* values = member(*here, "enum");
  if (values == nullptr || !values->is_array()) return std::nullopt;
  return std::vector<Json>(values->begin(), values->end());
}

bool SchemaPass::are_disjoint(const Pointer& a, const Pointer& b) {
  const auto apart = [&](const Pointer& left, const Pointer& right) {
    const auto first = values_at(left);
    const auto second = values_at(right);
    return first && second && std::ranges::none_of(*first, [&](const Json& value) {
             return std::ranges::find(*second, value) != second->end();
           });
  };
  const std::uint8_t common = types_at(a) & types_at(b);
  if (common == kNoType || apart(a, b)) return true;
  if (common != kObjectType) return false;
  const Pointer left = resolved(a);
  const Pointer right = resolved(b);
  const Json* required = member(*node(left), "required");
  const Json* of_other = member(*node(right), "required");
  if (required == nullptr || !required->is_array() || of_other == nullptr || !of_other->is_array()) return false;
  for (const Json& name : *required) {
    if (!name.is_string() || std::ranges::find(*of_other, name) == of_other->end()) continue;
    Pointer in_left = left;
    Pointer in_right = right;
    for (Pointer* each : {&in_left, &in_right}) {
      each->emplace_back("properties");
      each->push_back(name.get<std::string>());
    }
    if (apart(in_left, in_right)) return true;
  }
  return false;
}

}  // namespace cloister::engine
