// The embedded engine: llama.cpp in this process, through the scheduler of its server (continuous batching, prompt
// cache, chat templates, tool calls, grammars). The only folder that includes llama.cpp headers.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/engine.h"

namespace cloister::engine {

struct LlamaOptions {
  std::filesystem::path model_path;   // GGUF
  std::string model_id;               // empty: the file's name without .gguf
  int parallel = 0;                   // sequences decoded together; 0 = 16
  int context_tokens = 0;             // per sequence; 0 = the model's own, at most 4096
  int threads = 0;                    // 0 = all cores
  int gpu_layers = -1;                // -1 = all when built with CUDA
  bool share_prompt_cache = false;    // tenants reuse each other's prompts, and more of them are kept in memory
  bool embeddings = true;             // serve /v1/embeddings from this model
};

// Loads in the background: returns at once with health() == kLoading. A missing or corrupt file is an Error here when it
// can be seen without loading (not there, not GGUF), else health() becomes kFailed and failure() says why. A CPU
// without the instructions that the engine was built for is an Error, too. The destructor ends what runs, also a load.
Result<std::unique_ptr<Engine>> make_llama_engine(LlamaOptions options);

}  // namespace cloister::engine
