#include "engine/dialect/schema_pass.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/dialect/schema_keywords.h"
#include "engine/dialect/schema_reference.h"
#include "engine/dialect/schema_states.h"
#include "engine/dialect/string_pattern.h"

namespace cloister::engine {
namespace {

// Limits for one request. docs/spec/structured-output.md says what each construct costs.
constexpr std::size_t kMaxNodes = 4096;
constexpr std::size_t kMaxAlternatives = 8192;
constexpr std::size_t kMaxRepetitions = 65536;
// Limits for one node.
constexpr std::size_t kMaxOptional = 128;
constexpr std::size_t kMaxWidth = 512;
constexpr std::size_t kMaxBound = 2000;  // the library treats a larger upper bound as none
constexpr std::size_t kMaxDepth = 48;
constexpr int kMaxChain = 64;
// The library's integers have at most this many digits.
constexpr std::int64_t kLargest = 9999999999999999;

const Json* member(const Json& node, std::string_view name) {
  if (!node.is_object()) return nullptr;
  const auto found = node.find(std::string(name));
  return found == node.end() ? nullptr : &*found;
}

constexpr const char* kChoices[] = {"anyOf", "oneOf", "allOf"};

}  // namespace

SchemaPass::SchemaPass(Json& schema, std::string where, bool strict, Costs& costs)
    : root_(schema), where_(std::move(where)), strict_(strict), costs_(costs) {}

Error SchemaPass::refuse(const Pointer& at, std::string_view keyword, const std::string& why) const {
  Pointer path = at;
  if (!keyword.empty()) path.emplace_back(keyword);
  // Long names are cut: the message goes back to the caller.
  std::string place = pointer_text(path);
  if (place.size() > 200) place.replace(200, std::string::npos, "...");
  std::string message = keyword.empty() ? "what is" : "'";
  if (!keyword.empty()) message.append(keyword).append("'");
  message.append(" at '")
      .append(place)
      .append("' of the schema in '")
      .append(where_)
      .append("' cannot be enforced: ")
      .append(why);
  return fail(ErrorCode::kUnsupported, std::move(message), where_ + place);
}

Json* SchemaPass::node(const Pointer& at) {
  Json* found = &root_;
  for (const std::string& token : at) {
    if (found->is_object()) {
      const auto next = found->find(token);
      if (next == found->end()) return nullptr;
      found = &*next;
    } else if (found->is_array()) {
      const bool digits =
          !token.empty() && token.size() < 7 && token.find_first_not_of("0123456789") == std::string::npos;
      const std::size_t index = digits ? std::stoul(token) : found->size();
      if (index >= found->size() || std::to_string(index) != token) return nullptr;
      found = &(*found)[index];
    } else {
      return nullptr;
    }
  }
  return found;
}

void SchemaPass::later(Pointer at, std::string token) {
  at.push_back(std::move(token));
  if (seen_.insert(pointer_text(at)).second) left_.push_back(std::move(at));
}

Result<void> SchemaPass::run() {
  seen_.insert("");
  left_.emplace_back();
  while (!left_.empty()) {
    const Pointer at = std::move(left_.back());
    left_.pop_back();
    TRY_VOID(visit(at));
  }
  if (const auto ambiguous = SchemaStates(root_).find()) {
    return refuse(
        ambiguous->at, ambiguous->keyword,
        "its alternatives can begin alike and hold each other, so that the ways to read a text multiply with its "
        "depth; give them a required first property with different constants, or leave out what is there twice");
  }
  return {};
}

Result<void> SchemaPass::visit(const Pointer& at) {
  if (++costs_.nodes > kMaxNodes)
    return refuse(at, "properties", "the schemas of a request may have at most 4,096 parts");
  if (at.size() > kMaxDepth) return refuse(at, "properties", "it is nested too deeply");
  here_ = node(at);  // only its own members change before the next visit
  if (!here_->is_object()) {
    return strict_ ? Result<void>(refuse(at, "", "a schema has to be an object")) : Result<void>();
  }
  if (strict_) unwrap_all_of();
  if (member(*here_, "$ref") != nullptr) {
    if (strict_) TRY_VOID(check_siblings(at, {"$ref"}));
    return follow_reference(at);
  }
  TRY_VOID(width(at, 0));
  for (const char* keyword : {"anyOf", "oneOf", "allOf", "enum", "type"}) TRY_VOID(count_alternatives(at, keyword));
  TRY_VOID(check_sizes(at));
  drop_duplicates();
  if (strict_) TRY_VOID(check_exact(at));
  TRY_VOID(check_integer_bounds(at));
  TRY_VOID(rewrite_pattern(at));
  return visit_children(at);
}

// Keeps each alternative once: the grammar would keep duplicates apart. In a strict oneOf a duplicate admits nothing,
// and a reference may name an alternative by its number.
void SchemaPass::drop_duplicates() {
  for (const char* keyword : {"anyOf", "oneOf"}) {
    const auto found = here_->find(keyword);
    if (found == here_->end() || !found->is_array() || found->size() < 2) continue;
    if (strict_ && std::string_view(keyword) == "oneOf") continue;
    std::set<std::string> texts;
    Json kept = Json::array();
    for (const Json& each : *found) {
      if (texts.insert(each.dump()).second) kept.push_back(each);
    }
    if (kept.size() == found->size()) continue;
    const std::string all = root_.dump();
    if (all.find("/anyOf/") != std::string::npos || all.find("/oneOf/") != std::string::npos) return;
    *found = std::move(kept);
  }
}

Result<void> SchemaPass::visit_children(const Pointer& at) {
  const Json& here = *here_;
  for (const char* keyword : {"properties", "anyOf", "oneOf", "allOf", "prefixItems", "items"}) {
    const Json* children = member(here, keyword);
    if (children == nullptr) continue;
    Pointer base = at;
    base.emplace_back(keyword);
    if (children->is_array()) {
      for (std::size_t i = 0; i < children->size(); ++i) later(base, std::to_string(i));
    } else if (std::string_view(keyword) == "properties" && children->is_object()) {
      std::size_t required = 0;
      const Json* names = member(here, "required");
      if (names != nullptr && names->is_array()) required = names->size();
      if (children->size() > required + kMaxOptional) {
        return refuse(at, "properties", "an object may have at most 128 properties that are not required");
      }
      for (const auto& property : children->items()) {
        if (strict_ && property.key().starts_with("ref-"))
          return refuse(base, property.key(), "the name begins with 'ref-'");
        later(base, property.key());
      }
    } else if (std::string_view(keyword) == "items" && children->is_object()) {
      later(at, keyword);
    }
  }
  const Json* additional = member(here, "additionalProperties");
  if (additional != nullptr && additional->is_object()) later(at, "additionalProperties");
  return {};
}

Result<void> SchemaPass::follow_reference(const Pointer& at) {
  const Json& reference = *member(*here_, "$ref");
  const auto tokens = reference.is_string() ? reference_tokens(reference.get_ref<const std::string&>()) : std::nullopt;
  if (!tokens || tokens->size() > kMaxDepth)
    return refuse(at, "$ref", "it is not a plain path within the same schema, as #/$defs/name");
  const Json* target = node(*tokens);
  if (target == nullptr) return refuse(at, "$ref", "it points to nothing");
  const std::string text = reference.get<std::string>();
  if (std::ranges::find(references_, text, &std::pair<std::string, Json>::first) == references_.end()) {
    if (references_.size() >= 256) return refuse(at, "$ref", "a schema may have at most 256 of them");
    references_.emplace_back(text, *target);
  }
  Pointer parent = *tokens;
  std::string last = std::move(parent.back());
  parent.pop_back();
  later(std::move(parent), std::move(last));
  return {};
}

Result<void> SchemaPass::count_alternatives(const Pointer& at, std::string_view keyword) {
  const Json* list = member(*here_, keyword);
  if (list == nullptr || !list->is_array()) return {};
  if (list->size() > kMaxWidth)
    return refuse(at, keyword, "it may have at most 512 alternatives, got " + std::to_string(list->size()));
  costs_.alternatives += list->size();
  if (costs_.alternatives > kMaxAlternatives)
    return refuse(at, keyword, "a request may have at most 8,192 alternatives");
  if (keyword != "type") return {};
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (std::find(list->begin(), list->begin() + static_cast<std::ptrdiff_t>(i), (*list)[i]) !=
        list->begin() + static_cast<std::ptrdiff_t>(i)) {
      return refuse(at, keyword, "it names a type twice");
    }
  }
  return {};
}

Result<std::optional<std::size_t>> SchemaPass::size_member(const Pointer& at, const char* keyword) {
  const Json* value = member(*here_, keyword);
  if (value == nullptr) return std::optional<std::size_t>();
  const bool whole = value->is_number_unsigned() || (value->is_number_integer() && value->get<std::int64_t>() >= 0);
  if (!whole || value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    return refuse(at, keyword, "it has to be an integer from 0 to 2147483647");
  }
  return std::optional<std::size_t>(value->get<std::size_t>());
}

Result<void> SchemaPass::check_sizes(const Pointer& at) {
  constexpr std::pair<const char*, const char*> kSizes[] = {{"minLength", "maxLength"}, {"minItems", "maxItems"}};
  for (const auto& [lower, upper] : kSizes) {
    TRY(least, size_member(at, lower));
    TRY(most, size_member(at, upper));
    if (least && most && *least > *most) return refuse(at, lower, "it is larger than '" + std::string(upper) + "'");
    if (least && *least > kMaxBound) return refuse(at, lower, "it may be at most 2,000");
    if (most && *most > kMaxBound) {
      if (strict_) return refuse(at, upper, "it may be at most 2,000");
      most.reset();
    }
    costs_.repetitions += std::max(least.value_or(0), most.value_or(0));
    if (costs_.repetitions > kMaxRepetitions)
      return refuse(at, most ? upper : lower, "the bounds of a request add up to more than 65,536");
    // The library refuses a list of exactly this many items, and does not bound one of more.
    if (most && *most == kMaxBound && std::string_view(upper) == "maxItems" && strict_)
      return refuse(at, upper, "it may be at most 1,999");
  }
  return {};
}

Result<void> SchemaPass::rewrite_pattern(const Pointer& at) {
  Json& here = *here_;
  const auto found = here.find("pattern");
  if (found == here.end()) return {};
  if (!found->is_string()) return refuse(at, "pattern", "it has to be a string");
  const Result<ExactPattern> exact = exact_pattern(found->get_ref<const std::string&>());
  if (exact) {
    costs_.repetitions += exact->repetitions;
    if (costs_.repetitions > kMaxRepetitions)
      return refuse(at, "pattern", "the bounds of a request add up to more than 65,536");
    *found = exact->text;
    return {};
  }
  if (strict_) return refuse(at, "pattern", exact.error().message);
  // The library would read it differently from its meaning, or not end. The model still sees it.
  Json kept = std::move(*found);
  here.erase("pattern");
  here["x-pattern"] = std::move(kept);
  return {};
}

// Either both bounds are present and inclusive, or neither is present: the library misreads a single bound.
Result<void> SchemaPass::check_integer_bounds(const Pointer& at) {
  Json& here = *here_;
  std::int64_t least = -kLargest;
  std::int64_t most = kLargest;
  bool bounded = false;
  for (const char* keyword : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
    const Json* value = member(here, keyword);
    if (value == nullptr) continue;
    const std::string_view name(keyword);
    if (!value->is_number() || !(std::abs(value->get<double>()) < 1e16)) {
      if (!strict_ && value->is_boolean()) return {};  // from an older draft
      return refuse(at, keyword, "it has to be a number of at most 16 digits");
    }
    bounded = true;
    const double number = value->get<double>();
    const bool exact = value->is_number_integer();
    const auto integer =
        exact ? value->get<std::int64_t>()
              : static_cast<std::int64_t>(name.ends_with("inimum") ? std::ceil(number) : std::floor(number));
    const bool excluded = name.starts_with("exclusive") && (exact || number == std::floor(number));
    if (name.ends_with("inimum")) {
      least = std::max(least, integer + (excluded ? 1 : 0));
    } else {
      most = std::min(most, integer - (excluded ? 1 : 0));
    }
  }
  const Json* type = member(here, "type");
  if (!bounded) return {};
  if (least > most)
    return refuse(at, member(here, "minimum") != nullptr ? "minimum" : "maximum", "no integer is within the bounds");
  const bool integers =
      type != nullptr &&
      (*type == "integer" || (type->is_array() && std::ranges::find(*type, Json("integer")) != type->end()));
  if (!strict_ || !integers) return {};
  for (const char* keyword : {"exclusiveMinimum", "exclusiveMaximum"}) here.erase(keyword);
  here["minimum"] = least;
  here["maximum"] = most;
  return {};
}

// In how many ways a value may begin: each costs work for every token of the vocabulary.
Result<std::size_t> SchemaPass::width(const Pointer& at, int depth) {
  const std::string name = pointer_text(at);
  if (const auto known = widths_.find(name); known != widths_.end()) return known->second;
  if (depth > kMaxChain) return refuse(at, "$ref", "it leads back to itself");
  TRY(found, count_width(at, depth));
  widths_.emplace(name, found);
  return found;
}

Result<std::size_t> SchemaPass::count_width(const Pointer& at, int depth) {
  const Json* here = node(at);
  if (here == nullptr || !here->is_object()) return std::size_t{1};
  if (const Json* reference = member(*here, "$ref")) {
    const auto tokens =
        reference->is_string() ? reference_tokens(reference->get_ref<const std::string&>()) : std::nullopt;
    return tokens ? width(*tokens, depth + 1) : Result<std::size_t>(std::size_t{1});
  }
  for (const char* keyword : kChoices) {
    const Json* choices = member(*here, keyword);
    if (choices == nullptr || !choices->is_array()) continue;
    std::size_t sum = 0;
    for (std::size_t i = 0; i < choices->size(); ++i) {
      Pointer child = at;
      child.emplace_back(keyword);
      child.push_back(std::to_string(i));
      TRY(each, width(child, depth + 1));
      sum += each;
      if (sum > kMaxWidth) return refuse(at, keyword, "a value may begin in at most 512 ways");
    }
    return std::max<std::size_t>(sum, 1);
  }
  const Json* values = member(*here, "enum");
  return values != nullptr && values->is_array() ? std::max<std::size_t>(values->size(), 1) : std::size_t{1};
}

}  // namespace cloister::engine
