// What the embedded engine is told.
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

}  // namespace cloister::engine
