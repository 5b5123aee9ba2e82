// Bodies of the two routes that do not generate: /v1/embeddings and /v1/tokenize.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::engine {

// One vector an input, in order. `base64`: little-endian 32-bit floats, as the OpenAI SDKs ask by default.
std::string embeddings_body(std::string_view model, const std::vector<std::vector<float>>& vectors, bool base64,
                            std::uint64_t prompt_tokens);

// vLLM's shape: {"count","max_model_len","tokens"}.
std::string tokenize_body(const std::vector<std::int32_t>& tokens, std::uint64_t max_model_len);

}  // namespace cloister::engine
