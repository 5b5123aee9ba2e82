// Bodies of the routes that do not generate: /v1/embeddings, /v1/tokenize and /v1/messages/count_tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::engine {

// One vector for each input, in order. `base64`: little-endian 32-bit floats, as the OpenAI SDKs ask by default.
std::string embeddings_body(std::string_view model, const std::vector<std::vector<float>>& vectors, bool base64,
                            std::uint64_t prompt_tokens);

// vLLM's shape: {"count","max_model_len","tokens"}.
std::string tokenize_body(const std::vector<std::int32_t>& tokens, std::uint64_t max_model_len);

// Anthropic's shape: {"input_tokens"}.
std::string count_tokens_body(std::uint64_t tokens);

}  // namespace cloister::engine
