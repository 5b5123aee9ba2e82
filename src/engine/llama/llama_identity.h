// What a model of the embedded engine is (docs/spec/model-identity.md), but for its weights, which are hashed meanwhile.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/llama/llama_engine.h"
#include "engine/llama/loaded_model.h"
#include "engine/llama/model_file.h"
#include "evidence/model_identity.h"

namespace cloister::engine::llama {

// The name on the API.
std::string model_id(const LlamaOptions& options, const ModelFile& file);

// From the header alone; nothing is loaded.
evidence::ModelIdentity describe_model(const LlamaOptions& options, const ModelFile& file);

// That llama.cpp loaded what describe_model() says. An Error is a defect of ours, or a file that is not what it was.
Result<void> check_loaded(const evidence::ModelIdentity& identity, const LlamaOptions& options, const ModelFile& file,
                          const LoadedModel& model);

// That llama.cpp can read the template. kUsage with its complaint.
Result<void> check_template(const std::string& chat_template);

}  // namespace cloister::engine::llama
