#include "engine/dialect/vectors_and_tokens.h"

#include <bit>
#include <charconv>

#include "base/encoding.h"
#include "engine/dialect/json_text.h"

namespace cloister::engine {
namespace {

template <typename T>
void append_number(std::string& out, T number) {
  char text[32];
  auto result = std::to_chars(text, text + sizeof text, number);
  out.append(text, result.ptr);
}

std::string little_endian_base64(const std::vector<float>& vector) {
  Bytes bytes;
  bytes.reserve(vector.size() * 4);
  for (float value : vector) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  return to_base64(bytes);
}

void append_vector(std::string& out, const std::vector<float>& vector) {
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, vector[i]);
  }
  out += ']';
}

}  // namespace

std::string embeddings_body(std::string_view model, const std::vector<std::vector<float>>& vectors, bool base64,
                            std::uint64_t prompt_tokens) {
  std::string out = "{\"object\":\"list\",\"data\":[";
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (i > 0) out += ',';
    out += "{\"object\":\"embedding\",\"index\":" + std::to_string(i) + ",\"embedding\":";
    if (base64) {
      append_json_string(out, little_endian_base64(vectors[i]));
    } else {
      append_vector(out, vectors[i]);
    }
    out += '}';
  }
  out += "],\"model\":";
  append_json_string(out, model);
  std::string count = std::to_string(prompt_tokens);
  return out + ",\"usage\":{\"prompt_tokens\":" + count + ",\"total_tokens\":" + count + "}}";
}

std::string tokenize_body(const std::vector<std::int32_t>& tokens, std::uint64_t max_model_len) {
  std::string out = "{\"count\":" + std::to_string(tokens.size()) +
                    ",\"max_model_len\":" + std::to_string(max_model_len) + ",\"tokens\":[";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, tokens[i]);
  }
  return out + "]}";
}

std::string count_tokens_body(std::uint64_t tokens) { return "{\"input_tokens\":" + std::to_string(tokens) + "}"; }

}  // namespace cloister::engine
