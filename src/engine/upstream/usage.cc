#include "engine/upstream/usage.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

namespace cloister::engine::upstream {
namespace {

constexpr std::size_t kMostUsageBytes = 2048;
constexpr std::size_t kLongestReason = 64;

std::string_view skip_space(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The text after the last member of this name, `quoted` with its quotes, whose value begins as `begins` demands.
template <typename Begins>
std::string_view last_value(std::string_view text, std::string_view quoted, Begins&& begins) {
  for (std::size_t at = text.rfind(quoted); at != std::string_view::npos; at = at == 0 ? at - 1 : text.rfind(quoted, at - 1)) {
    if (at > 0 && text[at - 1] == '\\') continue;
    std::string_view rest = skip_space(text.substr(at + quoted.size()));
    if (!rest.starts_with(':')) continue;
    rest = skip_space(rest.substr(1));
    if (!rest.empty() && begins(rest.front())) return rest;
  }
  return {};
}

// The object at the start of `text`, braces included; empty when it has no end.
std::string_view object_at_start(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < std::min(text.size(), kMostUsageBytes); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(0, i + 1);
    }
  }
  return {};
}

// A receipt counts no further: beyond this, JSON numbers are not exact (RFC 7493 section 2.2).
constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 53;

// The first of these members that is a plain number of at most kMostCounted.
std::uint64_t number(std::string_view object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const std::string_view digits = last_value(object, name, is_digit);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || value > kMostCounted) continue;
    const std::string_view rest = skip_space({end, static_cast<std::size_t>(digits.data() + digits.size() - end)});
    if (rest.starts_with(',') || rest.starts_with('}')) return value;
  }
  return 0;
}

Usage usage_of(std::string_view text) {
  const std::string_view object = object_at_start(last_value(text, "\"usage\"", [](char c) { return c == '{'; }));
  if (object.empty()) return {};
  Usage usage;
  usage.prompt_tokens = number(object, {"\"prompt_tokens\"", "\"input_tokens\""});
  usage.completion_tokens = number(object, {"\"completion_tokens\"", "\"output_tokens\""});
  // OpenAI has it one object deeper.
  usage.cached_tokens = number(object, {"\"cached_tokens\"", "\"cache_read_input_tokens\""});
  return usage;
}

std::string reason_of(std::string_view text) {
  for (const std::string_view name : {"\"finish_reason\"", "\"stop_reason\""}) {
    std::string_view value = last_value(text, name, [](char c) { return c == '"'; });
    if (value.empty()) continue;
    value.remove_prefix(1);
    const std::size_t end = value.find('"');
    if (end == std::string_view::npos || end > kLongestReason) continue;
    value = value.substr(0, end);
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    if (std::all_of(value.begin(), value.end(), is_plain)) return std::string(value);
  }
  return {};
}

}  // namespace

Outcome read_outcome(std::string_view text) { return {reason_of(text), usage_of(text), nullptr}; }

}  // namespace cloister::engine::upstream
