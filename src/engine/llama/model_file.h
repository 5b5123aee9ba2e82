// What a GGUF file says about itself, read without loading the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::engine::llama {

struct ModelFile {
  std::filesystem::path path;
  std::vector<std::filesystem::path> parts;  // all files of a model in several parts, `path` the first; else `path`
  std::string architecture;                  // "llama"; empty when unknown
  std::string quantization;                  // "Q4_1"; empty when unknown
  std::uint64_t trained_context = 0;         // in tokens; 0 when the file does not say
  std::uint64_t parameters = 0;              // number in all parts
  ByteArray<32> tokenizer_digest{};          // docs/spec/model-identity.md
  std::string chat_template;                 // empty: none
  std::string tool_template;                 // for requests with tools; empty: none
};

// The Error names the file and what is wrong with it; a missing part is an Error too.
Result<ModelFile> read_model_file(const std::filesystem::path& path);

}  // namespace cloister::engine::llama
