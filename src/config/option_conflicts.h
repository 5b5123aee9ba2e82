// Checks options against each other. Pure; any thread.
#pragma once

#include "base/result.h"
#include "config/serve_options.h"

namespace cloister::config {

// kUsage for options that exclude each other, or ask for something that the others make impossible: it would be ignored.
Result<void> check_option_conflicts(const ServeOptions& options);
// The part of it that is about the TEE: --tee, --tee-socket, --tsm-root.
Result<void> check_tee_choice(const ServeOptions& options);
// kUsage where the embedded engine is to serve and no file of a model is named.
Result<void> check_model(const ServeOptions& options);

}  // namespace cloister::config
