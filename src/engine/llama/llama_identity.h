// Describes a model of the embedded engine (docs/spec/model-identity.md), except its weights, which are hashed meanwhile.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/llama/llama_options.h"
#include "engine/llama/loaded_model.h"
#include "engine/llama/model_file.h"
#include "evidence/model_identity.h"

namespace cloister::engine::llama {

// The model's name on the API.
std::string model_id(const LlamaOptions& options, const ModelFile& file);

// Describes the model from the header alone; nothing is loaded.
evidence::ModelIdentity describe_model(const LlamaOptions& options, const ModelFile& file);

// Checks that llama.cpp loaded what describe_model() says. An Error is a defect of ours, or a file that has changed.
Result<void> check_loaded(const evidence::ModelIdentity& identity, const LlamaOptions& options, const ModelFile& file,
                          const LoadedModel& model);

// Checks that llama.cpp can parse the template. Fails with kUsage and llama.cpp's message.
Result<void> check_template(const std::string& chat_template);

}  // namespace cloister::engine::llama
