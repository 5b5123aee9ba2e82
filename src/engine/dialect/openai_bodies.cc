// Buffered bodies of /v1/chat/completions and /v1/completions, and the parts that their streams share. Shapes:
// platform.openai.com/docs/api-reference/chat/object and .../completions/object.
#include <cstdint>

#include "engine/dialect/writers.h"

namespace cloister::engine {
namespace {

Json text_bytes(std::string_view text) {
  Json bytes = Json::array();
  for (char c : text) bytes.push_back(static_cast<std::uint8_t>(c));
  return bytes;
}

Json token_object(const std::string& token, float logprob) {
  return {{"token", token}, {"logprob", logprob}, {"bytes", text_bytes(token)}};
}

Json chat_message(const GatheredChoice& choice) {
  Json message = {{"role", "assistant"}};
  message["content"] = choice.text.empty() && !choice.calls.empty() ? Json() : Json(choice.text);
  message["refusal"] = nullptr;
  if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
  if (!choice.calls.empty()) {
    Json calls = Json::array();
    for (const ToolCall& call : choice.calls) {
      calls.push_back(
          {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    message["tool_calls"] = std::move(calls);
  }
  return message;
}

Json envelope(const ReplyHead& head, std::string_view object, Json choices, const Usage& usage) {
  Json body = {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
  body["choices"] = std::move(choices);
  body["usage"] = openai_usage(usage);
  if (!head.fingerprint.empty()) body["system_fingerprint"] = head.fingerprint;
  return body;
}

}  // namespace

Json openai_usage(const Usage& usage) {
  Json out = {{"prompt_tokens", usage.prompt_tokens},
              {"completion_tokens", usage.completion_tokens},
              {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
              {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
  if (usage.reasoning_tokens > 0) out["completion_tokens_details"] = {{"reasoning_tokens", usage.reasoning_tokens}};
  return out;
}

Json chat_logprobs(const std::vector<TokenLogprob>& tokens) {
  if (tokens.empty()) return nullptr;
  Json content = Json::array();
  for (const TokenLogprob& token : tokens) {
    Json item = token_object(token.token, token.logprob);
    item["top_logprobs"] = Json::array();
    for (const TokenLogprob::Alternative& other : token.top) {
      item["top_logprobs"].push_back(token_object(other.token, other.logprob));
    }
    content.push_back(std::move(item));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json completion_logprobs(const std::vector<TokenLogprob>& tokens, std::size_t text_offset) {
  if (tokens.empty()) return nullptr;
  Json out = {{"tokens", Json::array()},
              {"token_logprobs", Json::array()},
              {"top_logprobs", Json::array()},
              {"text_offset", Json::array()}};
  for (const TokenLogprob& token : tokens) {
    Json top = Json::object();
    for (const TokenLogprob::Alternative& other : token.top) top[other.token] = other.logprob;
    out["tokens"].push_back(token.token);
    out["token_logprobs"].push_back(token.logprob);
    out["top_logprobs"].push_back(std::move(top));
    out["text_offset"].push_back(text_offset);
    text_offset += token.token.size();
  }
  return out;
}

Json chat_body(const ReplyHead& head, const std::vector<GatheredChoice>& choices, const Usage& usage) {
  Json list = Json::array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list.push_back({{"index", i},
                    {"message", chat_message(choices[i])},
                    {"logprobs", chat_logprobs(choices[i].logprobs)},
                    {"finish_reason", finish_text(choices[i].finish)}});
  }
  return envelope(head, "chat.completion", std::move(list), usage);
}

Json completion_body(const ReplyHead& head, const std::vector<GatheredChoice>& choices, const Usage& usage) {
  Json list = Json::array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    list.push_back({{"index", i},
                    {"text", choices[i].text},
                    {"logprobs", completion_logprobs(choices[i].logprobs, 0)},
                    {"finish_reason", finish_text(choices[i].finish)}});
  }
  return envelope(head, "text_completion", std::move(list), usage);
}

}  // namespace cloister::engine
