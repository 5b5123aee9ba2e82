#include "engine/dialect/schema_states.h"

#include <algorithm>

#include "engine/dialect/schema_keywords.h"
#include "engine/dialect/schema_reference.h"

namespace cloister::engine {
namespace {

// Parallel ways: some hundred alternatives of one choice, or a few choices of a few alternatives nested in each other.
constexpr std::size_t kMostWays = 1024;
// Limit on the ways and properties that are examined. What exceeds it is refused.
constexpr std::size_t kMostWork = 100'000;
constexpr int kMaxChain = 64;

const Json* member(const Json& node, const char* name) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(name);
  return found == node.end() ? nullptr : &*found;
}

const Json* choices_of(const Json& node) {
  const Json* found = member(node, "oneOf");
  return found != nullptr ? found : member(node, "anyOf");
}

// All values that a node lists; null where it lists none.
const Json* listed(const Json& node) {
  const Json* found = member(node, "const");
  return found != nullptr ? found : member(node, "enum");
}

std::vector<const Json*> values_of(const Json& node) {
  std::vector<const Json*> out;
  if (const Json* one = member(node, "const")) {
    out.push_back(one);
  } else if (const Json* list = member(node, "enum"); list != nullptr && list->is_array()) {
    for (const Json& value : *list) out.push_back(&value);
  }
  return out;
}

// The types of a node that is no reference and no choice: those that `type` names, or else those that its other keywords are about.
std::uint8_t types_of(const Json& node) {
  const auto has = [&](const char* name) { return member(node, name) != nullptr; };
  if (const Json* type = member(node, "type")) {
    std::uint8_t types = kNoType;
    for (const Json& word : type->is_array() ? *type : Json::array({*type}))
      types |= word.is_string() ? types_of_word(word.get_ref<const std::string&>()) : std::uint8_t{kNoType};
    return has("allOf") && (types & kStringType) != 0 ? types | kObjectType : types;
  }
  if (has("properties") || (has("additionalProperties") && node.at("additionalProperties") != Json(true)))
    return kObjectType;
  if (has("allOf")) return kObjectType;
  if (has("items") || has("prefixItems")) return kArrayType;
  if (has("pattern") || has("minLength") || has("maxLength") || has("format")) return kStringType;
  return kEveryType;
}

bool find_path(const Json& here, const Json* wanted, std::vector<std::string>& path) {
  if (&here == wanted) return true;
  if (!here.is_structured()) return false;
  for (const auto& item : here.items()) {
    path.push_back(item.key());
    if (find_path(item.value(), wanted, path)) return true;
    path.pop_back();
  }
  return false;
}

}  // namespace

bool SchemaStates::spend(std::size_t work) {
  work_ += work;
  too_much_ = too_much_ || work_ > kMostWork;
  return !too_much_;
}

const Json* SchemaStates::target(const Json& reference) const {
  const auto tokens = reference.is_string() ? reference_tokens(reference.get_ref<const std::string&>()) : std::nullopt;
  if (!tokens) return nullptr;
  const Json* here = &root_;
  for (const std::string& token : *tokens) {
    if (here->is_object()) {
      here = member(*here, token.c_str());
    } else {
      const bool digits =
          !token.empty() && token.size() < 7 && std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
      here = here->is_array() && digits && std::stoul(token) < here->size() ? &(*here)[std::stoul(token)] : nullptr;
    }
    if (here == nullptr) return nullptr;
  }
  return here;
}

// In the order in which the library reads the keywords of a schema.
void SchemaStates::flatten(const Json& node, const Json* choice, int depth, Ways& out) {
  if (!node.is_object() || depth > kMaxChain || !spend(1)) return;
  if (const Json* reference = member(node, "$ref")) {
    if (const Json* found = target(*reference)) flatten(*found, choice, depth + 1, out);
    return;
  }
  if (const Json* choices = choices_of(node)) {
    if (!choices->is_array()) return;
    for (const Json& each : *choices) flatten(each, choices->size() > 1 ? choices : choice, depth + 1, out);
    return;
  }
  if (listed(node) != nullptr) return out.push_back({Kind::kOther, &node, choice});
  const std::uint8_t types = types_of(node);
  if (types == kEveryType) return out.push_back({Kind::kAny, &node, choice});
  if ((types & kObjectType) != 0) out.push_back({Kind::kObject, &node, choice});
  if ((types & kArrayType) != 0) out.push_back({Kind::kArray, &node, choice});
  if ((types & ~(kObjectType | kArrayType)) != 0) out.push_back({Kind::kOther, &node, choice});
}

void SchemaStates::begin(const std::vector<const Json*>& values) {
  Ways all;
  for (const Json* value : values) flatten(*value, nullptr, 0, all);
  std::ranges::stable_sort(all, [](const Way& a, const Way& b) { return a < b; });
  for (const Kind kind : {Kind::kObject, Kind::kArray}) {
    Ways ways;
    for (const Way& way : all) {
      if (way.kind == kind || way.kind == Kind::kAny) ways.push_back(way);
    }
    if (std::ranges::none_of(ways, [&](const Way& way) { return way.kind == kind; })) continue;
    std::vector<std::pair<int, const Json*>> key = {{static_cast<int>(kind), nullptr}};
    for (const Way& way : ways)
      key.emplace_back(static_cast<int>(way.kind), way.kind == Kind::kAny ? nullptr : way.node);
    if (!spend(ways.size()) || !seen_.insert(std::move(key)).second) continue;
    if (ways.size() > kMostWays) {
      too_much_ = true;
      for (const Way& way : ways) culprit_ = way.choice != nullptr ? way.choice : culprit_;
      return;
    }
    left_.push_back(std::move(ways));
  }
}

void SchemaStates::look_into_arrays(const Ways& arrays) {
  struct Items {
    const Json* each = nullptr;
    const Json* tuple = nullptr;
  };
  std::vector<Items> all;
  std::size_t longest = 1;
  for (const Way& way : arrays) {
    const Json* items = way.kind == Kind::kAny ? nullptr : member(*way.node, "items");
    if (items == nullptr && way.kind != Kind::kAny) items = member(*way.node, "prefixItems");
    if (items == nullptr || items->is_boolean()) items = &any_;
    if (items->is_array()) longest = std::max(longest, items->size());
    all.push_back(items->is_array() ? Items{nullptr, items} : Items{items, nullptr});
  }
  for (std::size_t i = 0; i < longest && spend(all.size()); ++i) {
    std::vector<const Json*> values;
    for (const Items& one : all) {
      if (one.each != nullptr) values.push_back(one.each);
      if (one.tuple != nullptr && i < one.tuple->size()) values.push_back(&(*one.tuple)[i]);
    }
    begin(values);
  }
}

// Builds an object from the parts of an allOf as the library does.
void SchemaStates::add_properties(const Json& node, bool required, int depth, std::vector<Property>& must,
                                  std::vector<Property>& may) {
  if (!node.is_object() || depth > kMaxChain || !spend(1)) return;
  if (const Json* reference = member(node, "$ref")) {
    if (const Json* found = target(*reference)) add_properties(*found, required, depth + 1, must, may);
    return;
  }
  if (const Json* choices = choices_of(node); choices != nullptr && choices->is_array()) {
    for (const Json& each : *choices) add_properties(each, false, depth + 1, must, may);
    return;
  }
  const Json* properties = member(node, "properties");
  if (properties == nullptr || !properties->is_object()) return;
  for (const auto& item : properties->items()) (required ? must : may).push_back({item.key(), &item.value()});
}

const SchemaStates::Object& SchemaStates::object_of(const Way& way) {
  const Json* key = way.kind == Kind::kAny ? nullptr : way.node;
  const auto [found, fresh] = objects_.try_emplace(key);
  Object& object = found->second;
  if (!fresh) return object;
  if (key == nullptr) {
    object.others = &any_;
    return object;
  }
  const Json& node = *key;
  std::vector<Property> must, may;
  const Json* properties = member(node, "properties");
  const Json* additional = member(node, "additionalProperties");
  const Json* parts = member(node, "allOf");
  if (properties == nullptr && additional == nullptr && parts != nullptr && parts->is_array()) {
    for (const Json& part : *parts) add_properties(part, true, 0, must, may);
  } else {
    const Json* required = member(node, "required");
    if (properties != nullptr && properties->is_object()) {
      for (const auto& item : properties->items()) {
        const bool demanded = required != nullptr && required->is_array() &&
                              std::ranges::find(*required, Json(item.key())) != required->end();
        (demanded ? must : may).push_back({item.key(), &item.value()});
      }
    }
    if (additional == nullptr ? properties == nullptr : *additional == Json(true)) object.others = &any_;
    if (additional != nullptr && additional->is_object()) object.others = additional;
  }
  spend(must.size() + may.size());
  object.required = must.size();
  object.properties = std::move(must);
  object.properties.insert(object.properties.end(), may.begin(), may.end());
  return object;
}

void SchemaStates::look_into_objects(const Ways& objects) {
  Places places;
  for (const Way& way : objects) places.push_back({&object_of(way), 0});
  if (places.size() > 1) return walk(std::move(places));
  for (const Property& property : places.front().object->properties) begin({property.value});
  if (places.front().object->others != nullptr) begin({places.front().object->others});
}

// The objects in which a property of this name may come next; an empty name: any other name.
SchemaStates::Places SchemaStates::takers(const Places& places, const std::string& name) const {
  Places out;
  for (const Place& place : places) {
    const Object& object = *place.object;
    const std::size_t end = place.next < object.required ? place.next + 1 : object.properties.size();
    std::size_t at = place.next;
    while (at < end && object.properties[at].name != name) ++at;
    if (at < end) {
      out.push_back({place.object, at + 1, object.properties[at].value});
    } else if (object.others != nullptr && place.next >= object.required &&
               std::ranges::find(object.properties, name, &Property::name) == object.properties.end()) {
      out.push_back({place.object, object.properties.size(), object.others});
    }
  }
  return out;
}

// The text so far fits all of these objects, of which there are several.
void SchemaStates::walk(Places places) {
  std::vector<Places> rest = {std::move(places)};
  std::vector<const Json*> values;
  while (!rest.empty() && !too_much_) {
    Places here = std::move(rest.back());
    rest.pop_back();
    std::ranges::sort(here, {}, &Place::key);
    std::vector<std::pair<const Object*, std::size_t>> key;
    for (const Place& place : here) key.push_back(place.key());
    if (!walked_.insert(std::move(key)).second) continue;
    std::set<std::string> names = {""};
    for (const Place& place : here) {
      const std::size_t end = place.next < place.object->required ? place.next + 1 : place.object->properties.size();
      for (std::size_t at = place.next; at < end; ++at) names.insert(place.object->properties[at].name);
      if (!spend(end - std::min(place.next, end) + 1)) return;
    }
    for (const std::string& name : names) {
      const Places taken = takers(here, name);
      if (!spend(here.size())) return;
      values.clear();
      for (const Place& place : taken) values.push_back(place.value);
      if (!values.empty()) begin(values);
      if (taken.size() < 2) continue;
      for (Places& group : split(taken)) rest.push_back(std::move(group));
    }
  }
}

// The objects that are still indistinguishable after the value of this property: constants and types tell them apart.
std::vector<SchemaStates::Places> SchemaStates::split(const Places& places) {
  std::map<std::string, std::pair<std::uint8_t, Places>> constants;
  std::map<std::uint8_t, Places> open;  // by type
  for (const Place& place : places) {
    Ways ways;
    flatten(*place.value, nullptr, 0, ways);
    std::map<std::string, std::uint8_t> own;
    std::uint8_t types = kNoType;
    for (const Way& way : ways) {
      if (listed(*way.node) == nullptr) {
        types |= types_of(*way.node);
        continue;
      }
      for (const Json* value : values_of(*way.node)) own.emplace(value->dump(), type_of_value(*value));
    }
    if (!spend(own.size() + 1)) return {};
    for (const auto& [text, type] : own) {
      constants[text].first = type;
      constants[text].second.push_back(place);
    }
    for (std::uint8_t type = 1; type < kEveryType; type = static_cast<std::uint8_t>(type << 1)) {
      if ((types & type) != 0) open[type].push_back(place);
    }
  }
  std::vector<Places> groups;
  for (auto& [text, group] : constants) {
    const Places& like = open[group.first];
    group.second.insert(group.second.end(), like.begin(), like.end());
    if (group.second.size() > 1) groups.push_back(std::move(group.second));
  }
  for (auto& [type, group] : open) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

std::optional<SchemaStates::Ambiguous> SchemaStates::find() {
  begin({&root_});
  while (!left_.empty() && !too_much_) {
    const Ways ways = std::move(left_.back());
    left_.pop_back();
    const bool arrays = std::ranges::any_of(ways, [](const Way& way) { return way.kind == Kind::kArray; });
    if (arrays) {
      look_into_arrays(ways);
    } else {
      look_into_objects(ways);
    }
  }
  if (!too_much_) return std::nullopt;
  Ambiguous found;
  if (culprit_ != nullptr && find_path(root_, culprit_, found.at)) {
    found.keyword = found.at.back();
    found.at.pop_back();
  } else {
    found.at.clear();
    found.keyword = choices_of(root_) == nullptr ? "properties" : "anyOf";
  }
  return found;
}

}  // namespace cloister::engine
