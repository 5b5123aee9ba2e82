#include "engine/echo/echo_text.h"
#include "engine/dialect/members.h"

#include <algorithm>
#include <cmath>

namespace cloister::engine {
namespace {

constexpr std::size_t kVectorSize = 384;
constexpr std::uint64_t kVocabulary = 50000;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// FNV-1a, 64 bits.
std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
  return hash;
}

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// A completion's prompt or an embedding's input: a string, token ids, or a list of either.
std::vector<std::string> texts_of(const Json* value) {
  if (value == nullptr) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (!value->is_array()) return {};
  if (!value->empty() && value->front().is_number()) {
    std::string ids;
    for (const Json& id : *value) ids += (ids.empty() ? "" : " ") + id.dump();
    return {ids};
  }
  std::vector<std::string> texts;
  for (const Json& item : *value) {
    for (std::string& text : texts_of(&item)) texts.push_back(std::move(text));
  }
  return texts;
}

const Json* conversation(Route route, const Json& body) {
  return find_member(body, route == Route::kResponses ? "input" : "messages");
}

std::string last_user_text(const Json* messages) {
  if (messages == nullptr) return {};
  if (messages->is_string()) return messages->get<std::string>();
  for (auto message = messages->rbegin(); message != messages->rend(); ++message) {
    const Json* content = find_member(*message, "content");
    if (content != nullptr && text_member(*message, "role") == "user") return content_text(*content);
  }
  return {};
}

bool has_flat_input(Route route, const Json& body) {
  return route == Route::kCompletions || route == Route::kEmbeddings ||
         (route == Route::kTokenize && find_member(body, "messages") == nullptr);
}

const Json* flat_input(Route route, const Json& body) {
  return find_member(body, route == Route::kEmbeddings ? "input" : "prompt");
}

}  // namespace

std::size_t token_end(std::string_view text, std::size_t from) {
  std::size_t i = from;
  while (i < text.size() && is_space(text[i])) ++i;
  while (i < text.size() && !is_space(text[i])) ++i;
  return i;
}

std::uint64_t count_tokens(std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < text.size(); i = token_end(text, i)) ++count;
  return count;
}

std::vector<std::int32_t> token_ids(std::string_view text) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = token_end(text, i);
    ids.push_back(static_cast<std::int32_t>(hash_text(text.substr(i, end - i)) % kVocabulary));
    i = end;
  }
  return ids;
}

std::vector<std::string> texts_to_echo(Route route, const Json& body) {
  if (has_flat_input(route, body)) return texts_of(flat_input(route, body));
  return {last_user_text(conversation(route, body))};
}

std::uint64_t count_prompt_tokens(Route route, const Json& body) {
  std::uint64_t count = 0;
  if (has_flat_input(route, body)) {
    for (const std::string& text : texts_of(flat_input(route, body))) count += count_tokens(text);
    return count;
  }
  const Json* messages = conversation(route, body);
  if (messages == nullptr) return 0;
  if (messages->is_string()) return count_tokens(messages->get_ref<const std::string&>());
  for (const Json& message : *messages) {
    if (const Json* content = find_member(message, "content")) count += count_tokens(content_text(*content));
  }
  return count;
}

EchoPlan plan_echo(std::string text, const RequestFields& fields, int fixed_tokens) {
  EchoPlan plan;
  std::size_t cut = std::string::npos;
  for (const std::string& stop : fields.stop) {
    std::size_t at = text.find(stop);
    if (at >= cut) continue;
    cut = at;
    plan.stop = stop;
  }
  if (cut != std::string::npos) text.resize(cut);
  plan.tokens = count_tokens(text);
  if (fixed_tokens > 0 && plan.tokens > 0 && plan.stop.empty()) plan.tokens = static_cast<std::uint64_t>(fixed_tokens);
  if (fields.max_tokens && static_cast<std::uint64_t>(*fields.max_tokens) < plan.tokens) {
    plan.tokens = static_cast<std::uint64_t>(*fields.max_tokens);
    plan.finish = FinishReason::kLength;
    plan.stop.clear();
  }
  plan.text = std::move(text);
  return plan;
}

std::string demanded_tool(Route route, const Json& body) {
  const Json* tools = find_member(body, "tools");
  const Json* choice = find_member(body, "tool_choice");
  if (tools == nullptr || tools->empty() || choice == nullptr) return {};
  auto name_of = [route](const Json& tool) {
    const Json* holder = route == Route::kChatCompletions ? find_member(tool, "function") : &tool;
    return holder == nullptr ? std::string() : text_member(*holder, "name");
  };
  if (choice->is_string()) return *choice == "required" ? name_of(tools->front()) : std::string();
  if (text_member(*choice, "type") == "any") return name_of(tools->front());
  return name_of(*choice);
}

std::vector<float> echo_vector(std::string_view text) {
  std::uint64_t state = hash_text(text);
  std::vector<float> vector(kVectorSize);
  double squares = 0;
  for (float& value : vector) {
    value = static_cast<float>(static_cast<double>(next_random(state) >> 11) / 4503599627370496.0 - 1.0);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  auto length = static_cast<float>(std::sqrt(squares));
  for (float& value : vector) value /= length;
  return vector;
}

}  // namespace cloister::engine
