// The receipt store that the options ask for. Pure; any thread.
#pragma once

#include "base/result.h"
#include "config/serve_options.h"
#include "store/store_options.h"

namespace cloister::config {

// Everything of the store but its keys. kUsage for a size or a durability that is none.
Result<store::StoreOptions> receipt_store_options(const ServeOptions& options);

}  // namespace cloister::config
