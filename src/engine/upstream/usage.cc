#include "engine/upstream/usage.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "codec/folded_name.h"
#include "codec/json.h"

namespace cloister::engine::upstream {
namespace {

constexpr std::size_t kLongestReason = 64;
// JSON numbers beyond are not exact (RFC 7493 section 2.2).
constexpr std::uint64_t kMostCounted = (std::uint64_t{1} << 53) - 1;

// What readers find for a count: a number, nothing, or not the same.
struct Count {
  bool there = false;
  bool clear = true;
  std::uint64_t value = 0;
};

// What these members say together. Both makers' names may stand side by side, with one value.
void read_count(Count& count, const Json& object, std::initializer_list<const char*> names, bool may_be_null = false) {
  for (const auto& [key, value] : object.items()) {
    for (const char* const name : names) {
      // A reader may take no notice of the case of letters.
      if (key != name) {
        if (codec::is_same_but_for_case(key, name)) count.clear = false;
        continue;
      }
      if (may_be_null && value.is_null()) continue;
      const bool whole = value.is_number_unsigned() && value.get<std::uint64_t>() <= kMostCounted;
      const std::uint64_t found = whole ? value.get<std::uint64_t>() : 0;
      if (!whole || (count.there && found != count.value)) count.clear = false;
      count.there = true;
      count.value = found;
    }
  }
}

Count count_in(const Json& usage, std::initializer_list<const char*> names) {
  Count count;
  read_count(count, usage, names);
  return count;
}

// OpenAI has it one object deeper. Servers that do not tell have null.
Count cached_in(const Json& usage) {
  Count count;
  read_count(count, usage, {"cache_read_input_tokens", "cached_tokens"}, true);
  for (const auto& [key, value] : usage.items()) {
    for (const char* const name : {"prompt_tokens_details", "input_tokens_details"}) {
      if (codec::is_same_but_for_case(key, name)) count.clear = false;
      if (key == name && value.is_object()) read_count(count, value, {"cached_tokens"}, true);
    }
  }
  return count;
}

// Absent where the strict parser finds no object; it refuses members that stand twice.
std::optional<Json> object_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Result<Json> object = codec::parse_json(text);
  if (!object || !object->is_object()) return std::nullopt;
  return std::move(*object);
}

constexpr std::initializer_list<const char*> kPrompt = {"prompt_tokens", "input_tokens"};

// All counts, or none: a number that nobody said is no count. Two numbers may be left out: what a server generates for embeddings, where
// the total is the prompt's, and the prompt of Anthropic's last event, which the stream's first one tells.
Usage usage_of(std::string_view text, std::string_view opening_text) {
  const std::optional<Json> usage = object_of(text);
  if (!usage) return {};
  Count prompt = count_in(*usage, kPrompt);
  Count cached = cached_in(*usage);
  const Count completion = count_in(*usage, {"completion_tokens", "output_tokens"});
  if (!prompt.there && prompt.clear) {
    const std::optional<Json> opening = object_of(opening_text);
    if (!opening) return {};
    prompt = count_in(*opening, kPrompt);
    if (!cached.there && cached.clear) cached = cached_in(*opening);
  }
  if (!prompt.there || !prompt.clear || !cached.clear || !completion.clear) return {};
  if (!completion.there) {
    const Count total = count_in(*usage, {"total_tokens"});
    if (!total.there || !total.clear || total.value != prompt.value) return {};
  }
  return {.prompt_tokens = prompt.value, .cached_tokens = cached.value, .completion_tokens = completion.value};
}

std::string reason_of(std::string_view text) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  if (text.size() > kLongestReason || !std::all_of(text.begin(), text.end(), is_plain)) return {};
  return std::string(text);
}

}  // namespace

Outcome read_outcome(const codec::ReplyWords& words) {
  return {reason_of(words.reason()), usage_of(words.usage(), words.opening_usage()), nullptr};
}

}  // namespace cloister::engine::upstream
