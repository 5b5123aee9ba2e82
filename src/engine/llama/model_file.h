// What a GGUF file says of itself, read without loading the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace cloister::engine::llama {

struct ModelFile {
  std::filesystem::path path;
  std::string quantization;            // "Q4_1"; empty when unknown
  std::uint64_t trained_context = 0;   // tokens; 0 when the file does not say
};

// The Error names the file and what is wrong with it.
Result<ModelFile> read_model_file(const std::filesystem::path& path);

}  // namespace cloister::engine::llama
