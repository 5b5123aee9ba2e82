// What llama.cpp is told, from our options and the file's header: one place for the engine and for who only describes it.
#pragma once

#include <string>

#include "common.h"
#include "engine/llama/llama_engine.h"
#include "engine/llama/model_file.h"

namespace cloister::engine::llama {

// llama-server's defaults wherever they decide about speed.
common_params make_params(const LlamaOptions& options, const ModelFile& file);

// Tokens that one request may use, as the scheduler will round them.
int context_in_effect(const LlamaOptions& options, const ModelFile& file);

}  // namespace cloister::engine::llama
