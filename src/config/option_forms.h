// Checks the forms of option values that the parts of a node would accept unchecked, or refuse without naming the option.
#pragma once

#include "base/result.h"
#include "config/serve_options.h"

namespace cloister::config {

// kUsage, with the name of the option before the fault. It opens no file and asks no server.
Result<void> check_option_forms(const ServeOptions& options);

}  // namespace cloister::config
