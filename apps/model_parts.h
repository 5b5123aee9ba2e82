// What decides which model a node serves: the engine's options that are part of its identity, and who is told of it.
#pragma once

#include <optional>
#include <string>

#include "config/serve_options.h"
#include "engine/engine.h"
#include "evidence/model_identity.h"
#include "identity/identity.h"
#include "tee/tee.h"
#ifdef CLOISTER_HAVE_LLAMA
#include "engine/llama/llama_engine.h"
#endif

namespace cloister::apps {

#ifdef CLOISTER_HAVE_LLAMA
// Reads the chat template's file.
Result<engine::LlamaOptions> llama_options(const config::ServeOptions& options);
#endif

// Blocks until the engine has loaded. kModelFile when it cannot.
Result<void> wait_ready(const engine::Engine& engine);

// Makes each model the one that the node proves to serve, before its first prompt: measures it into the TEE, where
// there is one, then puts it into the identity. Both outlive the hook.
engine::IdentityHook measure_identity(tee::Tee* tee, identity::Identity& identity);

// What the measured compose text says about the program behind this URL, whose host is the name of a service. Absent
// where there is no such text.
std::optional<evidence::ModelClaim> software_claim(tee::Tee* tee, const std::string& upstream_url);

}  // namespace cloister::apps
