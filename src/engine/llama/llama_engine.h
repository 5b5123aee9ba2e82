// The embedded engine: llama.cpp in this process, through the scheduler of its server (continuous batching, prompt
// cache, chat templates, tool calls, grammars). Only this folder includes llama.cpp headers.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "engine/weights/weight_lock.h"

namespace cloister::engine {

struct LlamaOptions {
  std::filesystem::path model_path;  // GGUF
  std::string model_id;              // empty: the file's name without .gguf
  int parallel = 0;                  // sequences decoded together; 0 = 16
  int context_tokens = 0;            // per sequence; 0 = the model's own, at most 4096
  int threads = 0;                   // 0 = all cores
  int gpu_layers = -1;               // -1 = all when built with CUDA
  bool share_prompt_cache = false;   // tenants reuse each other's prompts, and more prompts are kept in memory
  bool embeddings = true;            // serve /v1/embeddings from this model
  std::string chat_template;         // Jinja text that replaces the model's own template; empty = the model's
  LockMode lock_model = LockMode::kAuto;
  IdentityHook on_identity = {};
  // How often the model's files are checked after they were measured.
  std::chrono::milliseconds watch_interval{2000};
  // The answers that the model must give before it is ready, and from then on this often; null = it is not tested.
  std::shared_ptr<const GivenAnswers> known_answers = nullptr;
  std::chrono::milliseconds known_answers_every{300'000};
};

// Loads in the background: returns at once with health() == kLoading, while the files are hashed. The engine is ready once it has
// loaded, hashed, called `on_identity` and given the known answers. When a file or an answer changes later, health() becomes kFailed
// and running replies end with an error; only a new engine serves again. Answers of other weights are a failure, too. A missing or
// corrupt file is an Error here when that is visible without loading (no file, not GGUF), else health() becomes kFailed and failure()
// says why. A CPU without the instructions that the engine was built for is an Error. The destructor ends what is running, also a load.
Result<std::unique_ptr<Engine>> make_llama_engine(LlamaOptions options);

// The identity document that such an engine would serve, without loading the model: hashes the files. Blocks. Whether
// `lock_model` auto locks depends on the machine that serves; here it counts as locked.
Result<Json> llama_model_identity(const LlamaOptions& options);

}  // namespace cloister::engine
