// The CPU side of a node, made from its options.
#pragma once

#include <memory>

#include "apps/serve_options.h"
#include "base/secret.h"
#include "tee/tee.h"

namespace cloister::apps {

// Null: the node serves without one. Logs what `auto` chose and why.
Result<std::unique_ptr<tee::Tee>> make_tee(const ServeOptions& options);

// The seed that every simulated part of this node is made from. The state folder keeps it.
Result<SecretBytes> simulator_seed(const ServeOptions& options);

}  // namespace cloister::apps
