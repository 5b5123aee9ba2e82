#include "engine/known_answers/answer_reader.h"

#include <algorithm>
#include <cmath>

#include "codec/json.h"

namespace cloister::engine {
namespace {

using evidence::TokenChance;

constexpr codec::JsonLimits kLimits = {4u << 20, 32, 1u << 16};
// Single precision rounds a probability of one up to slightly more.
constexpr double kAboveOne = 1e-3;

Error bad(const std::string& what) { return fail(ErrorCode::kUpstreamBroken, what); }

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const Json* value) {
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

Result<TokenChance> read_chance(const Json& object) {
  const Json* text = member(object, "token");
  const Json* logprob = member(object, "logprob");
  if (text == nullptr || !text->is_string()) return bad("a token has no text");
  if (logprob == nullptr || !logprob->is_number()) return bad("a log probability is missing or is no number");
  const double value = logprob->get<double>();
  if (!std::isfinite(value) || value > kAboveOne) return bad("a log probability is above zero or not finite");
  return TokenChance{text->get<std::string>(), std::min(value, 0.0)};
}

Result<AnswerPosition> read_position(const Json& object) {
  AnswerPosition out;
  TRY(chosen, read_chance(object));
  out.chosen = std::move(chosen);
  const Json* top = member(object, "top_logprobs");
  if (top == nullptr || !top->is_array() || top->empty()) return bad("a token has no alternatives (top_logprobs)");
  for (const Json& element : *top) {
    TRY(chance, read_chance(element));
    out.top.push_back(std::move(chance));
  }
  std::stable_sort(out.top.begin(), out.top.end(),
                   [](const TokenChance& a, const TokenChance& b) { return a.logprob > b.logprob; });
  return out;
}

}  // namespace

Result<Answer> read_answer(std::string_view body) {
  const Result<Json> object = codec::parse_json(body, kLimits);
  if (!object) return bad("the reply is no JSON: " + object.error().message);
  const Json* choices = member(*object, "choices");
  if (choices == nullptr || !choices->is_array() || choices->size() != 1) return bad("the reply has not one choice");
  const Json& choice = choices->front();
  Answer out;
  const Json* message = member(choice, "message");
  if (message == nullptr || !message->is_object()) return bad("the reply holds no message");
  if (const Json* content = member(*message, "content"); content != nullptr && content->is_string()) {
    out.content = content->get<std::string>();
  }
  out.finish = text_of(member(choice, "finish_reason"));
  const Json* logprobs = member(choice, "logprobs");
  const Json* tokens = logprobs == nullptr ? nullptr : member(*logprobs, "content");
  if (tokens == nullptr || !tokens->is_array()) return bad("the reply holds no log probabilities");
  for (const Json& element : *tokens) {
    TRY(position, read_position(element));
    out.positions.push_back(std::move(position));
  }
  if (const Json* usage = member(*object, "usage")) {
    const Json* count = member(*usage, "completion_tokens");
    if (count != nullptr && count->is_number_unsigned()) out.completion_tokens = count->get<std::uint64_t>();
  }
  return out;
}

}  // namespace cloister::engine
