#include "engine/upstream/usage.h"

#include <algorithm>
#include <initializer_list>

#include "codec/folded_name.h"
#include "codec/json.h"

namespace cloister::engine::upstream {
namespace {

constexpr std::size_t kLongestReason = 64;
// A receipt counts no further: beyond this, JSON numbers are not exact (RFC 7493 section 2.2).
constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 53;

// The first of these members that is a plain number of at most kMostCounted.
std::uint64_t number(const Json& object, std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_unsigned()) continue;
    const auto value = found->get<std::uint64_t>();
    if (value <= kMostCounted) return value;
  }
  return 0;
}

// Whether a reader that takes no notice of the case of letters finds another value for one of these members.
bool has_in_other_case(const Json& object, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* name) {
    return std::any_of(object.items().begin(), object.items().end(),
                       [&](const auto& member) { return codec::is_same_but_for_case(member.key(), name); });
  });
}

// OpenAI has it one object deeper.
std::uint64_t cached_tokens(const Json& usage) {
  for (const char* const name : {"prompt_tokens_details", "input_tokens_details"}) {
    const auto details = usage.find(name);
    if (details != usage.end() && details->is_object()) return number(*details, {"cached_tokens"});
  }
  return number(usage, {"cache_read_input_tokens", "cached_tokens"});
}

Usage usage_of(std::string_view text) {
  if (text.empty()) return {};
  // The strict parser refuses members that stand twice.
  const Result<Json> object = codec::parse_json(text);
  if (!object || !object->is_object()) return {};
  if (has_in_other_case(*object, {"prompt_tokens", "input_tokens", "completion_tokens", "output_tokens"})) return {};
  Usage usage;
  usage.prompt_tokens = number(*object, {"prompt_tokens", "input_tokens"});
  usage.completion_tokens = number(*object, {"completion_tokens", "output_tokens"});
  usage.cached_tokens = cached_tokens(*object);
  return usage;
}

std::string reason_of(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  if (text.size() > kLongestReason || !std::all_of(text.begin(), text.end(), is_plain)) return {};
  return std::string(text);
}

}  // namespace

Outcome read_outcome(const codec::ReplyWords& words) { return {reason_of(words.reason()), usage_of(words.usage()), nullptr}; }

}  // namespace cloister::engine::upstream
