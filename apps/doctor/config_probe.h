// The configuration that `cloister serve` would be started with.
#pragma once

#include <string>

#include "apps/doctor/finding.h"
#include "config/serve_options.h"

namespace cloister::apps {

// Finds "config.file" and, when that can be read, "config.listen", "config.model", "config.gpu_policy". Fills `options`.
Findings probe_config(const std::string& path, config::ServeOptions& options);

}  // namespace cloister::apps
