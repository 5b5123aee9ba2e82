// Everything that is wrong with options before a part of a node is made from them.
#pragma once

#include "base/result.h"
#include "config/serve_options.h"

namespace cloister::config {

// kUsage as of check_option_forms(), check_option_conflicts() and check_model(), in this order. Looks for folders, opens no file.
Result<void> check_options(const ServeOptions& options);

}  // namespace cloister::config
