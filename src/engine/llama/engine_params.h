// The parameters for llama.cpp, from our options and the file's header: one place for the engine and for code that only describes it.
#pragma once

#include <string>

#include "common.h"
#include "engine/llama/llama_options.h"
#include "engine/llama/model_file.h"

namespace cloister::engine::llama {

// Keeps llama-server's defaults wherever they decide about speed.
common_params make_params(const LlamaOptions& options, const ModelFile& file);

// Number of tokens that one request may use, as the scheduler will round it.
int context_in_effect(const LlamaOptions& options, const ModelFile& file);

}  // namespace cloister::engine::llama
