// Forms of option values that the parts of a node would take as they are, or complain of without a name.
#pragma once

#include "apps/serve_options.h"
#include "base/result.h"

namespace cloister::apps {

// kUsage, with the name of the option before what is wrong with it. Opens no file and asks nobody.
Result<void> check_option_forms(const ServeOptions& options);

}  // namespace cloister::apps
