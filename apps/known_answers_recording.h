// Records what a model answers (docs/spec/known-answers.md): the embedded engine's, or a running server's.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "evidence/model_identity.h"
#ifdef CLOISTER_HAVE_LLAMA
#include "engine/llama/llama_engine.h"
#endif

namespace cloister::apps {

struct RecordingOptions {
  std::string file;  // where the answers are written; "" = none are recorded
  double tolerance = 0.05;
  std::string upstream, model, key_file;
};

void bind_recording_options(CLI::App& command, RecordingOptions& options);

#ifdef CLOISTER_HAVE_LLAMA
// Loads the model and asks it. `identity` is the one that `llama` states.
Result<void> record_own_answers(const RecordingOptions& options, engine::LlamaOptions llama,
                                const evidence::ModelIdentity& identity);
#endif
// Asks the server at --upstream. Errors: kUsage without a model or a file.
Result<void> record_upstream_answers(const RecordingOptions& options);

}  // namespace cloister::apps
