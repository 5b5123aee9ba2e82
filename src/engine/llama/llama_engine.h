// The embedded engine: llama.cpp in this process, through the scheduler of its server (continuous batching, prompt
// cache, chat templates, tool calls, grammars). Only this folder includes llama.cpp headers.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "engine/llama/llama_options.h"

namespace cloister::engine {

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
