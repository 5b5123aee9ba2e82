// The options of `cloister serve` on the command line, from their table (config/serve_options.def).
#pragma once

#include <CLI/CLI.hpp>

#include "config/serve_options.h"

namespace cloister::apps {

// Binds all options. An empty value is refused.
void bind_serve_options(CLI::App& command, config::ServeOptions& options);

// Binds the options that change a model's identity (docs/spec/model-identity.md).
void bind_model_options(CLI::App& command, config::ServeOptions& options);

}  // namespace cloister::apps
